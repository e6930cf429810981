-- A small shop: enough of every kind of thing that SQL can reach.
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, password_hash TEXT);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  user_id INTEGER REFERENCES users(id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'new',
  total REAL CHECK (total >= 0)
);
CREATE TABLE notes (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders(id) ON DELETE CASCADE, body TEXT);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE secrets (id INTEGER PRIMARY KEY, token TEXT);
CREATE TABLE log (message TEXT);
CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT);
CREATE VIEW order_totals AS SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id;
CREATE VIEW leak AS SELECT token FROM secrets;
CREATE VIEW open_jobs AS SELECT id, job FROM queue;
CREATE TRIGGER open_jobs_insert INSTEAD OF INSERT ON open_jobs BEGIN INSERT INTO queue (job) VALUES (new.job); END;
CREATE TRIGGER open_jobs_update INSTEAD OF UPDATE ON open_jobs BEGIN DELETE FROM queue WHERE id = old.id; END;
CREATE TRIGGER settings_purge AFTER UPDATE ON settings WHEN new.value = 'purge' BEGIN DELETE FROM log; END;
CREATE VIRTUAL TABLE docs USING fts5(body);
INSERT INTO users VALUES (1, 'Ada', 'ada@example.com', 'h1'), (2, 'Bob', 'bob@example.com', 'h2'), (3, 'Cyd', 'cyd@example.com', 'h3');
INSERT INTO orders VALUES (1, 1, 'paid', 10.5), (2, 1, 'cancelled', 3), (3, 2, 'paid', 99), (4, 3, 'new', 0);
INSERT INTO notes VALUES (1, 1, 'gift'), (2, 3, 'fragile; handle with care');
INSERT INTO settings VALUES ('theme', 'dark'), ('zone', 'eu');
INSERT INTO secrets VALUES (1, 'sesame'), (2, 'xyzzy');
INSERT INTO log VALUES ('start');
INSERT INTO queue (job) VALUES ('mail'), ('pack');
INSERT INTO docs VALUES ('hello world'), ('delete nothing');
