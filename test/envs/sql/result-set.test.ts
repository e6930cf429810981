import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOrdered, sameResults } from "../../../envs/sql/result-set.ts";
import type { SqlValue } from "../../../src/core/sql.ts";

const value = fc.oneof(
  fc.constant(null),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.bigInt(),
  fc.string(),
  fc.uint8Array({ maxLength: 4 }),
) as fc.Arbitrary<SqlValue>;
const rows = fc.array(fc.tuple(value, value), { maxLength: 8 });

describe("sameResults", () => {
  test("a result equals any order of its rows, unless the order counts", () => {
    fc.assert(
      fc.property(rows, (some) => {
        const reversed = some.toReversed();
        expect(sameResults(set(some), set(reversed), { ordered: false })).toBe(true);
        expect(sameResults(set(some), set(some), { ordered: true })).toBe(true);
      }),
    );
    expect(sameResults(set([[1], [2]]), set([[2], [1]]), { ordered: true })).toBe(false);
  });

  test("rows count as often as they come", () => {
    expect(sameResults(set([[1], [1], [2]]), set([[1], [2], [2]]), { ordered: false })).toBe(false);
    expect(sameResults(set([[1]]), set([[1], [1]]), { ordered: false })).toBe(false);
  });

  test.each<[SqlValue, SqlValue, boolean]>([
    [1, 1.0, true],
    [1, 1n, true],
    [9_007_199_254_740_993n, 9_007_199_254_740_992, false],
    [0.1 + 0.2, 0.3, true],
    [0, -0, true],
    [1, "1", false],
    [null, 0, false],
    [null, "null", false],
    ["", null, false],
    [new Uint8Array([1]), new Uint8Array([1]), true],
    [new Uint8Array([1]), "01", false],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false],
  ])("%s and %s: %s", (left, right, same) => {
    expect(sameResults(set([[left]]), set([[right]]), { ordered: true })).toBe(same);
  });

  test("names of columns do not matter, their number does, even without rows", () => {
    expect(sameResults({ columns: ["a"], rows: [[1]] }, { columns: ["b"], rows: [[1]] }, { ordered: true })).toBe(true);
    expect(sameResults({ columns: ["a"], rows: [] }, { columns: [], rows: [] }, { ordered: true })).toBe(false);
  });
});

test.each([
  ["SELECT id FROM t ORDER BY id", true],
  ["select id from t order\n by id", true],
  ["SELECT id FROM t", false],
  ["SELECT id FROM t WHERE name='order by'", false],
  ["SELECT id FROM t -- order by id", false],
  ["SELECT id FROM (SELECT id FROM t ORDER BY id LIMIT 3)", false],
  ["SELECT MAX(a) OVER (ORDER BY (b)) FROM t", false],
  ["SELECT id FROM t WHERE (a=(1)) ORDER BY id", true],
])("isOrdered: %s", (sql, ordered) => {
  expect(isOrdered(sql)).toBe(ordered);
});

function set(rows: readonly (readonly SqlValue[])[]) {
  return { columns: rows[0]?.map((_, index) => `c${index}`) ?? ["c0"], rows };
}
