import { expect, it } from "vitest";
import { loadSqlEngine } from "../../src/kernel/drivers/sql/sql-engine.ts";
import { bootShop, bytesOf, episodeKey, query, rowsOf } from "./shop-kernel.ts";
import { worldFile, worldGrants } from "./sql-world.ts";

const capBytes = 2 ** 31;
const large = "SELECT length(hex(zeroblob(400000)))";

it("the memory of SQLite's module ends at 2 GiB: past it a text fails alone, and the thread's other episodes go on", async () => {
  const kernel = await bootShop({
    drivers: { sql: { database: worldFile } },
    policies: [{ type: "sql", ...worldGrants }],
  });
  const { exports, memory } = await loadSqlEngine();
  using session = kernel.open({ episode: episodeKey(0) });
  using neighbour = kernel.open({ episode: episodeKey(1) });
  query(session, "UPDATE orders SET status = 'seen' WHERE id = 1");
  const before = bytesOf(session);
  const taken: number[] = [];
  for (let bytes = 2 ** 28; bytes >= 2 ** 12; ) {
    const at = exports.malloc(bytes);
    if (at === 0) bytes /= 2;
    else taken.push(at);
  }
  expect(memory.buffer.byteLength).toBeLessThanOrEqual(capBytes);
  expect(memory.buffer.byteLength).toBeGreaterThan(0.9 * capBytes);
  for (const text of [large, `${large}; UPDATE orders SET status = 'lost'`]) {
    expect(query(session, text).violations.map(({ rule }) => rule)).toEqual(["limit memoryBytes"]);
  }
  expect(rowsOf(neighbour, "SELECT count(*) FROM users")).toEqual([[2]]);
  for (const at of taken) exports.free(at);
  expect(Buffer.compare(before, bytesOf(session))).toBe(0);
  expect(query(session, large)).toMatchObject({ outcome: "completed", violations: [] });
  expect(memory.buffer.byteLength).toBeLessThanOrEqual(capBytes);
});
