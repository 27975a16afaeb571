-- The first shape. Times are seconds since 1970, secrets are kept as SHA-256 of what was handed out.
CREATE TABLE account (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role      TEXT NOT NULL,
    scope     TEXT NOT NULL DEFAULT '',
    enabled   INTEGER NOT NULL DEFAULT 1,
    password  TEXT,
    totp      TEXT,
    totp_used INTEGER NOT NULL DEFAULT 0,
    issuer    TEXT,
    subject   TEXT,
    created   INTEGER NOT NULL,
    signed_in INTEGER,
    UNIQUE (issuer, subject)
) STRICT;

CREATE TABLE recovery (
    hash    BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE
) STRICT;

CREATE TABLE session (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    hash    BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    began   INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    address TEXT NOT NULL,
    agent   TEXT NOT NULL
) STRICT;

CREATE TABLE token (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    hash    BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    scope   TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used    INTEGER
) STRICT;

-- A link that lets its bearer choose the password of an account, once.
CREATE TABLE invite (
    hash    BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account ON DELETE CASCADE,
    expires INTEGER NOT NULL
) STRICT;

-- What is so whatever becomes of the rows above: set-up never opens again (S002).
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- What is about to be done, or goes on. When it has ended it becomes an entry of the audit.
CREATE TABLE intent (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    entry TEXT NOT NULL
) STRICT;

-- An entry is kept as the very text that its hash was made of; columns to search by are drawn from it.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    entry   TEXT NOT NULL,
    hash    BLOB NOT NULL,
    at      TEXT GENERATED ALWAYS AS (entry ->> 'at') VIRTUAL,
    who     TEXT GENERATED ALWAYS AS (entry ->> 'who') VIRTUAL,
    action  TEXT GENERATED ALWAYS AS (entry ->> 'action') VIRTUAL,
    object  TEXT GENERATED ALWAYS AS (entry ->> 'object') VIRTUAL,
    outcome TEXT GENERATED ALWAYS AS (entry ->> 'outcome') VIRTUAL
) STRICT;
CREATE INDEX audit_at ON audit (at);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_keeps BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
