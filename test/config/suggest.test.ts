import { expect, it } from "vitest";
import { suggest } from "../../src/config/suggest.ts";

it("a mistyped word is led to the nearest candidate, and a strange one to none", () => {
  const candidates = ["groupSize", "groupsPerBatch", "seed"];
  expect(suggest("groupsize", candidates)).toBe("groupSize");
  expect(suggest("group-size", candidates)).toBe("groupSize");
  expect(suggest("sed", candidates)).toBe("seed");
  expect(suggest("temperature", candidates)).toBeUndefined();
  expect(suggest("", [])).toBeUndefined();
});
