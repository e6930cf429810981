import { expect, test } from "vitest";
import { aligned } from "../../src/report/aligned.ts";

test("each column is as wide as its widest cell, however many rows there are", () => {
  expect(aligned([["a", "b"], ["long", ""], []])).toBe("a     b\nlong\n");
  expect(aligned([])).toBe("");
  const many = aligned(Array.from({ length: 300_000 }, () => ["a", "b"]));
  expect(many.length).toBe(300_000 * "a  b\n".length - 1);
});
