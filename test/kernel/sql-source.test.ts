import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { readSqlDatabase } from "../../src/kernel/drivers/sql/sql-source.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { episodeKey, rowsOf, shop } from "./shop-kernel.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-sql-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function counted(database: string) {
  const kernel = new KernelSpace({ drivers: { sql: { database } } });
  await kernel.boot();
  return rowsOf(kernel.open({ episode: episodeKey(1) }), "SELECT count(*) FROM users");
}

describe("a database", () => {
  it("may be a script or an SQLite file, also one that was left in WAL mode", async () => {
    expect(await counted(shop)).toEqual([[3]]);
    const bytes = await readSqlDatabase({ database: shop });
    expect(await counted(fileOf("shop.sqlite", bytes))).toEqual([[3]]);
    const wal = bytes.slice();
    wal.fill(2, 18, 20);
    expect(await counted(fileOf("wal.sqlite", wal))).toEqual([[3]]);
  });

  it.each([
    ["missing.sql", null, /missing\.sql: expected a file that can be read/],
    ["picture.sql", new Uint8Array([0x89, 0x50, 0, 0xff]), /expected an SQLite database or an SQL script/],
    ["broken.sqlite", `SQLite format 3\0${"garbage".repeat(200)}`, /expected an? (sound )?SQLite database/],
    [
      "wrong.sql",
      "CREATE TABLE t (x);\n\nINSERT INTO t\n  VALUES (1, 2);",
      /line [34]: .*2 values for 1 columns|line [34]: .*1 columns but 2 values/,
    ],
    ["typo.sql", "CREATE TABLE t (x);\nSELEC 1;", /line 2: .*syntax error/],
  ])("that cannot be used is said to be so, with the place: %s", async (name, content, message) => {
    const database = content === null ? join(folder, name) : fileOf(name, content);
    const failed = await readSqlDatabase({ database }).catch((error) => error);
    expect(failed).toBeInstanceOf(InputError);
    expect(failed.message).toMatch(message);
  });
});
