import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bytesOf, digestOf, episodeKey, query } from "./shop-kernel.ts";

const script = `
  CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE, changed INTEGER DEFAULT (changes()));
  CREATE TABLE child (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER REFERENCES parent ON DELETE CASCADE, body TEXT);
  CREATE TABLE log (what TEXT, total INTEGER);
  CREATE INDEX child_parent ON child (parent);
  CREATE VIEW names AS SELECT name, changes() AS changed FROM parent;
  CREATE TRIGGER logged AFTER UPDATE ON parent BEGIN INSERT INTO log VALUES (new.name, total_changes()); END;
  INSERT INTO parent (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c');
  INSERT INTO child (parent, body) VALUES (1, 'x'), (2, 'y'), (2, 'z');
  DELETE FROM child WHERE id = 3;
`;

/** What an episode may leave behind on its connection. */
const deeds = fc.constantFrom(
  "UPDATE parent SET name = name || '!'",
  "UPDATE parent SET name = 'none' WHERE id = 99",
  "INSERT INTO child (parent, body) VALUES (3, 'new'), (1, 'newer')",
  "INSERT INTO parent (name) VALUES ('d') RETURNING id",
  "INSERT OR REPLACE INTO parent VALUES (1, 'again', 0)",
  "DELETE FROM parent WHERE id = 2",
  "DELETE FROM child",
  "INSERT INTO log SELECT printf('%.*c', 5000, 'x'), value FROM json_each('[1,2,3,4,5,6,7,8,9]')",
  "INSERT INTO parent (id) VALUES (1)",
  "SELECT * FROM parent ORDER BY random()",
  "BEGIN; UPDATE parent SET name = 'gone'; ROLLBACK",
  "BEGIN; INSERT INTO log VALUES ('open', 1)",
  "SAVEPOINT s; DELETE FROM log; RELEASE s",
  "CREATE TABLE extra (a); INSERT INTO extra VALUES (1)",
  "CREATE TEMP TABLE parent (id)",
  "DROP TABLE log",
  "ALTER TABLE child ADD COLUMN more",
  "PRAGMA user_version = 7",
  "PRAGMA foreign_keys = OFF",
  "PRAGMA recursive_triggers = ON",
  "PRAGMA case_sensitive_like = ON",
  "PRAGMA table_info(parent)",
  "ANALYZE",
  "REINDEX",
  "VACUUM",
  "SELEC",
  "SELECT count(*) FROM names",
);

/** What the next episode finds, and does. */
const probes = [
  "SELECT changes(), total_changes(), last_insert_rowid()",
  "SELECT * FROM parent; SELECT * FROM child; SELECT * FROM log",
  "SELECT * FROM names",
  "SELECT type, name, sql FROM sqlite_schema",
  "SELECT * FROM sqlite_sequence",
  "SELECT random() <> 0, 'A' LIKE 'a'",
  "UPDATE parent SET name = upper(name) WHERE id < 3",
  "SELECT changes(), total_changes(), last_insert_rowid()",
  "INSERT INTO child (parent, body) VALUES (3, 'last')",
  "SELECT changes(), total_changes(), last_insert_rowid()",
  "DELETE FROM parent WHERE id = 3",
  "SELECT changes(), total_changes()",
  "SELECT * FROM child; SELECT * FROM log",
  "PRAGMA user_version",
  "PRAGMA data_version",
  "PRAGMA foreign_keys",
];

async function boot(): Promise<KernelSpace> {
  const database = join(mkdtempSync(join(tmpdir(), "faraday-test-")), "world.sql");
  writeFileSync(database, script);
  const grants = { select: true, insert: true, update: true, delete: true };
  const kernel = new KernelSpace({
    drivers: { sql: { database } },
    policies: [{ type: "sql", deny: [], tables: { "*": grants }, pragmas: ["user_version", "data_version"] }],
  });
  await kernel.boot();
  return kernel;
}

let made = 0;

function found(kernel: KernelSpace, governed: boolean) {
  const session = kernel.open({ episode: { ...episodeKey(made++), seed: 5 }, governed });
  const answers = probes.map((sql) => query(session, sql));
  const state = { answers, digest: digestOf(session), bytes: Buffer.from(bytesOf(session)).toString("base64") };
  session.close();
  return state;
}

const kernels: KernelSpace[] = [];
const pristine = new Map<boolean, ReturnType<typeof found>>();
beforeAll(async () => {
  for (const governed of [true, false]) {
    kernels.push(await boot());
    pristine.set(governed, found(await boot(), governed));
  }
});
afterAll(() => {
  for (const kernel of kernels) kernel[Symbol.dispose]();
});

it("no episode finds anything of the one before it on its connection", () => {
  const episode = fc.record({ governed: fc.boolean(), texts: fc.array(deeds, { maxLength: 5 }) });
  const property = fc.property(fc.array(episode, { minLength: 1, maxLength: 3 }), fc.boolean(), (before, governed) => {
    const kernel = kernels[governed ? 0 : 1] as KernelSpace;
    for (const { texts, governed: earlier } of before) {
      const session = kernel.open({ episode: episodeKey(made++), governed: earlier });
      for (const sql of texts) query(session, sql);
      session.close();
    }
    expect(found(kernel, governed)).toEqual(pristine.get(governed));
  });
  fc.assert(property, { numRuns: 300, seed: Number(process.env.REWIND_SEED ?? 1) });
});
