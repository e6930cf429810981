import fc from "fast-check";
import { beforeAll, describe, it } from "vitest";
import { bootWorld, type JudgeText } from "./sql-world.ts";

let judge: JudgeText;
beforeAll(async () => {
  judge = await bootWorld();
});

const writes = fc.constantFrom(
  "UPDATE orders SET status = 'x'",
  "INSERT INTO notes (body) VALUES ('y')",
  "INSERT INTO docs VALUES ('z')",
  "UPDATE parent SET id = id + 10",
  "INSERT INTO auto (v) VALUES (1)",
  "UPDATE synced SET body = 'w'",
  "INSERT INTO rt VALUES (7, 1, 2)",
  "SELECT 1",
);
const ends = fc.constantFrom(
  "DELETE FROM orders",
  "DROP TABLE log",
  "SELECT token FROM secrets",
  "COMMIT",
  "INSERT OR ROLLBACK INTO orders VALUES (1, 1, 'x', 1)",
  "INSERT INTO gated VALUES (5, 'rb')",
  "INSERT INTO gated VALUES (5, 'ab')",
  "INSERT OR FAIL INTO orders VALUES (77, 1, 'x', 1), (1, 1, 'x', 1)",
  "REPLACE INTO docs (rowid, body) VALUES (1, 'gone')",
  "DELETE FROM parent WHERE id < 20",
  "SELECT zeroblob(2000000000)",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
  "SELECT nope FROM orders",
  "TRUNCATE TABLE orders",
  "SELEC",
);

describe("a text of several statements", () => {
  it("leaves nothing when one of them is denied or fails, wherever that stands", () => {
    fc.assert(
      fc.property(
        fc.array(writes, { maxLength: 4 }),
        ends,
        fc.array(writes, { maxLength: 2 }),
        (before, end, after) => {
          const result = judge([...before, end, ...after].join("; "));
          return result.outcome !== "completed" && !result.changed;
        },
      ),
      { numRuns: 300 },
    );
  });
});
