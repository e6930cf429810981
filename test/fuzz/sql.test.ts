import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "vitest";
import { readSqlDatabase } from "../../src/kernel/drivers/sql/sql-source.ts";
import { fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantBytes, mutantText } from "./mutants.ts";

const script = `-- people and what they bought
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL DEFAULT 'x', email TEXT CHECK (email LIKE '%@%'));
CREATE TABLE orders (id INTEGER PRIMARY KEY, user INTEGER REFERENCES users ON DELETE CASCADE, total REAL);
CREATE INDEX by_user ON orders (user);
CREATE TRIGGER bought AFTER INSERT ON orders BEGIN UPDATE users SET name = upper(name) WHERE id = NEW.user; END;
BEGIN;
INSERT INTO users (name, email) VALUES ('Ann', 'ann@x'), ('Bob "b"', 'bob@x'); /* two */
INSERT INTO orders (user, total) SELECT id, 12.5e0 FROM users WHERE name <> '';
COMMIT;
CREATE VIEW spent AS SELECT name, sum(total) AS total FROM users JOIN orders ON orders.user = users.id GROUP BY 1;
`;
const folder = scratchFolder();
const path = join(folder, "database");

async function read(content: string | Uint8Array): Promise<void> {
  writeFileSync(path, content);
  await readSqlDatabase({ database: path });
}

describe("a database that is not what it was", fuzzTimeout, () => {
  it("as a script", () =>
    fuzz(mutantText(script, "CREATE TABLE t (a);\nINSERT INTO t VALUES (1), ('two'), (NULL), (x'00');\n"), read));

  it("as a file of SQLite", async () => {
    const file = await readSqlDatabase({
      script: "CREATE TABLE t (a PRIMARY KEY, b) WITHOUT ROWID; INSERT INTO t VALUES (1, 'x'), (2, 'y')",
    });
    const other = await readSqlDatabase({ script });
    await fuzz(mutantBytes(file, other), read);
  });
});
