-- What waits for its rows is written in a shorter form.

CREATE TABLE notes (
    number INTEGER NOT NULL PRIMARY KEY,
    form   INTEGER NOT NULL,     -- 1: JSON, as earlier versions have left it; 2: octets (postcard)
    notes  BLOB    NOT NULL
) STRICT;

INSERT INTO notes (number, form, notes) SELECT number, 1, CAST(notes AS BLOB) FROM backlog;
DROP TABLE backlog;
ALTER TABLE notes RENAME TO backlog;
