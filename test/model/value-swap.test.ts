import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/core/random.ts";
import type { Demonstration } from "../../src/model/literal-swap.ts";
import { ValueSwap } from "../../src/model/value-swap.ts";

const towns = ["new haven", "o'hara's landing", "oslo", "san luis obispo"];
const values = new Map([["town", towns]]);
const action = (town: string, year: number | string) =>
  `SELECT n FROM t WHERE town='${town.replaceAll("'", "''")}' AND id IN(SELECT id FROM u WHERE u.town='${town.replaceAll("'", "''")}') AND year>${year}`;
const asked = (town: string, year: number): Demonstration => ({
  prompt: `who is in ${town} since ${year}`,
  actions: [action(town, year)],
  observations: [],
});
const draws = (given: readonly Demonstration[], reserved = new Set<string>(), count = 60) => {
  const [swap, random] = [new ValueSwap(given, values, reserved), new Random(3)];
  return Array.from({ length: count }, () => swap.draw(given[0] as Demonstration, random));
};

describe("ValueSwap", () => {
  test("exchanges a literal of several words for any of its column, in prompt, query and subquery alike", () => {
    fc.assert(
      fc.property(fc.constantFrom(...towns), fc.integer({ min: 1990, max: 2020 }), fc.integer(), (town, year, seed) => {
        const given = [asked(town, year), asked("oslo", 2021)];
        const random = new Random(seed);
        const drawn = new ValueSwap(given, values, new Set()).draw(given[0] as Demonstration, random);
        const [, place = "", since = ""] = /^who is in (.*) since (\d+)$/.exec(drawn.prompt) ?? [];
        expect(drawn.actions).toEqual([action(place, since)]);
        expect(towns).toContain(place);
        expect(["2021", String(year)]).toContain(since);
      }),
    );
  });

  test("draws values that no demonstration holds", () => {
    const drawn = draws([asked("oslo", 2000)]).map(({ prompt }) => prompt);
    for (const town of towns) expect(drawn).toContain(`who is in ${town} since 2000`);
  });

  test("writes a value in the prompt as the prompt writes names, and in the query as the database has it", () => {
    const given = {
      prompt: "Who is in OSLO or Oslo-on-sea?",
      actions: ["SELECT n FROM t WHERE town='oslo'"],
      observations: [],
    };
    expect(draws([given]).every(({ prompt }) => prompt === given.prompt)).toBe(true);
    const title = { ...given, prompt: "Who is in Oslo?" };
    const pairs = new Set(draws([title]).map(({ prompt, actions }) => `${prompt} ${actions[0]}`));
    expect(pairs).toContain("Who is in New Haven? SELECT n FROM t WHERE town='new haven'");
  });

  test("never makes a reserved prompt, and changes no LIMIT for a number that is compared", () => {
    const given = { prompt: "the 2 of level 3", actions: ["SELECT n FROM t WHERE level=3 LIMIT 2"], observations: [] };
    const other = { prompt: "the 5 of level 4", actions: ["SELECT n FROM t WHERE level=4 LIMIT 5"], observations: [] };
    const reserved = "the 5 of level 3";
    const drawn = draws([given, other], new Set([reserved]));
    expect(new Set(drawn.map(({ prompt, actions }) => `${prompt}: ${actions[0]}`))).toEqual(
      new Set([
        "the 2 of level 3: SELECT n FROM t WHERE level=3 LIMIT 2",
        "the 2 of level 4: SELECT n FROM t WHERE level=4 LIMIT 2",
        "the 5 of level 4: SELECT n FROM t WHERE level=4 LIMIT 5",
      ]),
    );
  });

  test("leaves alone what the prompt says twice or not at all, and a text of two columns", () => {
    const given = ["oslo to oslo", "the capital"].map((prompt) => ({
      prompt,
      actions: ["SELECT n FROM t WHERE town='oslo'"],
      observations: [],
    }));
    const both = { prompt: "in oslo", actions: ["SELECT n FROM t WHERE town='oslo' OR city='oslo'"], observations: [] };
    for (const one of [...given, both]) for (const drawn of draws([one])) expect(drawn).toEqual(one);
  });
});
