import { expect, it } from "vitest";
import { atOnce, inTurns, ownTurn, type Steps } from "../../src/core/steps.ts";

function* counting(name: string, steps: number, seen: string[]): Steps<number> {
  for (let step = 1; step <= steps; step++) {
    if (step > 1) yield;
    seen.push(`${name}${step}`);
  }
  return steps;
}

it("work is the same at once and in turns", async () => {
  const seen: string[] = [];
  expect(atOnce(counting("a", 3, seen))).toBe(3);
  expect(await inTurns(counting("b", 3, seen))).toBe(3);
  expect(seen).toEqual(["a1", "a2", "a3", "b1", "b2", "b3"]);
});

it("two works at a time have one step a turn between them, in the order in which they ask", async () => {
  const seen: string[] = [];
  let goesOn = true;
  const count = () => {
    seen.push("turn");
    if (goesOn) setImmediate(count);
  };
  setImmediate(count);
  await Promise.all([inTurns(counting("a", 3, seen)), inTurns(counting("b", 3, seen))]);
  goesOn = false;
  expect(seen.filter((each) => each !== "turn")).toEqual(["a1", "b1", "a2", "b2", "a3", "b3"]);
  for (const [index, each] of seen.entries()) {
    if (index > 1 && each !== "turn") expect(seen[index - 1]).toBe("turn");
  }
});

it("what throws in a step rejects, and keeps nobody else from their turns", async () => {
  const failing = function* (): Steps<never> {
    yield;
    throw new Error("it broke");
  };
  const other = ownTurn();
  await expect(inTurns(failing())).rejects.toThrow("it broke");
  await other;
  await ownTurn();
});
