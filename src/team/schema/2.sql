-- The history of one container asks for what was done to it, each time that something happens to it.
CREATE INDEX audit_object ON audit (object);
