-- How this console signs in to registries. The secret is sealed with a key that lies beside the database.
CREATE TABLE registry (
    host TEXT NOT NULL PRIMARY KEY,
    user TEXT NOT NULL,
    secret BLOB NOT NULL,
    shared INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    saved_by TEXT NOT NULL
) STRICT;
