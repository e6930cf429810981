import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { shopScript } from "../../../envs/sql/shop.ts";

test("the same seed gives the same shop, another seed another", () => {
  expect(shopScript(7)).toBe(shopScript(7));
  expect(shopScript(7)).not.toBe(shopScript(8));
});

test("the shop is small enough to be copied for every episode, and its foreign keys hold", () => {
  using database = new DatabaseSync(":memory:");
  database.exec(shopScript(1));
  const number = (sql: string) => Number(Object.values(database.prepare(sql).get() ?? {})[0]);
  expect(number("PRAGMA page_count") * number("PRAGMA page_size")).toBeLessThan(150_000);
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  expect(number("SELECT COUNT(*) FROM sqlite_schema WHERE type='table'")).toBe(9);
});
