import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { SqlConnection } from "../../src/kernel/drivers/sql/sql-connection.ts";
import { loadSqlEngine } from "../../src/kernel/drivers/sql/sql-engine.ts";

let ours: SqlConnection;
/** A connection on which SQLite's own functions stay as they are. */
let theirs: SqlConnection;
beforeAll(async () => {
  const engine = await loadSqlEngine();
  ours = SqlConnection.empty(engine);
  theirs = SqlConnection.empty({ ...engine, guarded: [] });
});

const characters = fc.constantFrom(..."abABz0%_*?[]^-\\!éÉ日😀'", "");
const text = fc.array(characters, { maxLength: 10 }).map((list) => list.join(""));
const quoted = (value: string) => `'${value.replaceAll("'", "''")}'`;

function answer(connection: SqlConnection, sql: string): unknown {
  try {
    return connection.run(sql).rows;
  } catch (error) {
    return String(error);
  }
}

describe("the kernel's LIKE and GLOB", () => {
  it("answer what SQLite's answer", () => {
    const escapes = fc.constantFrom("", "\\", "%", "_", "é", "!!", "a");
    fc.assert(
      fc.property(text, text, escapes, (value, pattern, escaping) => {
        const [v, p] = [quoted(value), quoted(pattern)];
        const sql = `SELECT ${v} LIKE ${p}, ${v} GLOB ${p}, NULL LIKE ${p}, 12 LIKE ${p}, x'6162' GLOB ${p}`;
        expect(answer(ours, sql)).toEqual(answer(theirs, sql));
        const escaped = `SELECT ${v} LIKE ${p} ESCAPE ${quoted(escaping)}`;
        expect(answer(ours, escaped)).toEqual(answer(theirs, escaped));
      }),
      { numRuns: 5_000 },
    );
  });
});
