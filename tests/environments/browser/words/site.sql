CREATE TABLE words (id INTEGER PRIMARY KEY, word, kind DEFAULT 'common');
INSERT INTO words (word) VALUES ('one'), ('two');
