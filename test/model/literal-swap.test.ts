import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import { type Demonstration, LiteralSwap } from "../../src/model/literal-swap.ts";

const names = ["oak", "elm", "ash", "fir", "yew"];

function felling(name: string, count: number, observations: readonly string[] = []): Demonstration {
  const action = `UPDATE t SET n = ${count} WHERE name = '${name}'`;
  return { prompt: `fell ${count} of the ${name} trees`, actions: [action], observations };
}

const demonstration = fc
  .tuple(fc.constantFrom(...names), fc.integer({ min: 2, max: 30 }))
  .map(([name, count]) => felling(name, count));
const demonstrations = fc.array(demonstration, { minLength: 1, maxLength: 12 });
const seed = fc.integer();

describe("LiteralSwap", () => {
  test("exchanges a literal in prompt and action alike, for one that stood in its place elsewhere", () => {
    fc.assert(
      fc.property(demonstrations, seed, (given, start) => {
        const swap = new LiteralSwap(given, new Set());
        const random = new Random(start);
        for (const one of given) {
          const { prompt, actions } = swap.draw(one, random);
          const [, count, name] = /^fell (\d+) of the (\w+) trees$/.exec(prompt) ?? [];
          expect(actions).toEqual(felling(String(name), Number(count)).actions);
          expect(given.some((other) => other.prompt.includes(` ${name} `))).toBe(true);
          expect(given.some((other) => other.prompt.includes(` ${count} `))).toBe(true);
        }
      }),
    );
  });

  test("never makes a reserved prompt", () => {
    fc.assert(
      fc.property(demonstrations, fc.array(demonstration), seed, (given, held, start) => {
        const own = new Set(given.map(({ prompt }) => prompt));
        const reserved = new Set(held.map(({ prompt }) => prompt).filter((prompt) => !own.has(prompt)));
        const swap = new LiteralSwap(given, reserved);
        const random = new Random(start);
        for (const one of given) expect(reserved.has(swap.draw(one, random).prompt)).toBe(false);
      }),
    );
  });

  test("the same seed draws the same variants", () => {
    fc.assert(
      fc.property(demonstrations, seed, (given, start) => {
        const draw = () => {
          const [swap, random] = [new LiteralSwap(given, new Set()), new Random(start)];
          return given.map((one) => swap.draw(one, random));
        };
        expect(draw()).toEqual(draw());
      }),
    );
  });

  test("leaves alone what the action did not copy, or what the prompt says twice", () => {
    const given = [
      { prompt: "how many oaks", actions: ["SELECT count(*) FROM t WHERE name = 'oak'"] },
      { prompt: "plant 3 and 3 more", actions: ["SELECT count(*) FROM t WHERE n = 3"] },
      { prompt: "plant 5", actions: ["SELECT count(*) FROM t WHERE n = 7"] },
      { prompt: "how many elm1", actions: ["SELECT count(*) FROM t WHERE name = 'elm'"] },
    ];
    const all = given.map((one) => ({ ...one, observations: [] }));
    const swap = new LiteralSwap(all, new Set());
    const random = new Random(1);
    for (let draw = 0; draw < 50; draw++) for (const one of all) expect(swap.draw(one, random)).toEqual(one);
  });

  test("leaves alone what was seen between actions and speaks of the literal", () => {
    const given = names.map((name, index) => felling(name, 2 + index, [`the ${name} is gone`]));
    const swap = new LiteralSwap(given, new Set());
    const random = new Random(1);
    for (let draw = 0; draw < 50; draw++) {
      for (const [index, one] of given.entries()) {
        const { prompt, observations } = swap.draw(one, random);
        expect({ named: prompt.includes(` ${names[index]} `), observations }).toEqual({
          named: true,
          observations: one.observations,
        });
      }
    }
  });

  test("draws something new where it can", () => {
    const given = names.map((name, index) => felling(name, 2 + index));
    const swap = new LiteralSwap(given, new Set());
    const random = new Random(1);
    const drawn = new Set(Array.from({ length: 200 }, () => swap.draw(given[0] as Demonstration, random).prompt));
    expect(drawn.size).toBeGreaterThan(15);
  });
});
