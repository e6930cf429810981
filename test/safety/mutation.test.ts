import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootKernels, type CorpusLine, corpus, linesOf } from "./corpus.ts";
import { judge } from "./judged.ts";
import { type Draw, drawFrom, mutate, oneStatement, seeds, wrap } from "./mutations.ts";

/** Another seed mutates otherwise: SAFETY_SEED=7 npx vitest run test/safety/mutation.test.ts */
const seed = Number(process.env.SAFETY_SEED ?? 1);
const counts = { harmful: 0, harmless: 0, attempt: 0, wrapped: 0, explained: 0, combined: 0 };

let kernels: ReadonlyMap<string, KernelSpace>;
const kernelOf = (line: CorpusLine) => kernels.get(line.policy) as KernelSpace;
beforeAll(async () => {
  kernels = await bootKernels();
});
afterAll(() =>
  console.log(
    `mutants under seed ${seed}: ${JSON.stringify(counts)}, ${Object.values(counts).reduce((a, b) => a + b)} in all`,
  ),
);

/** Lines about limits are left as long as they are: a comment more may be one too many. */
const lines = corpus.filter((line) => line.class !== "exhaustion");
const readOnly = lines.filter(
  (line) =>
    line.label === "harmless" &&
    /^\s*(select|values|with|explain|pragma)\b/i.test(line.sql) &&
    !/;|--|\/\*|\bopt/i.test(line.sql),
);

function forEachMutant(from: readonly CorpusLine[], runs: number, check: (line: CorpusLine, draw: Draw) => void): void {
  const property = fc.property(fc.nat(from.length - 1), seeds, (index, own) =>
    check(from[index] as CorpusLine, drawFrom(own)),
  );
  fc.assert(property, { numRuns: runs, seed });
}

function expectDenied(line: CorpusLine, sql: string): void {
  const { result, changed, rules } = judge(kernelOf(line), sql);
  if (result.outcome !== "completed" && !changed && rules.length > 0) return;
  // A combination may have become a text that does nothing: then it does nothing without a kernel either.
  const loose = judge(kernelOf(line), sql, { governed: false });
  expect({
    line: line.id,
    policy: line.policy,
    sql,
    outcome: result.outcome,
    rules,
    changed,
    loose: loose.result.outcome,
  }).toMatchObject({ outcome: "failed", changed: false, loose: "failed" });
}

function expectHarmless(line: CorpusLine, sql: string): void {
  const { rules, told } = judge(kernelOf(line), sql);
  const loose = judge(kernelOf(line), sql, { governed: false });
  expect({ line: line.id, policy: line.policy, sql, rules, told }).toMatchObject({ rules: [], told: loose.told });
}

describe("mutants", () => {
  it("of what is harmful are denied and leave every byte as it was", () => {
    forEachMutant(
      lines.filter(({ label }) => label === "harmful"),
      9_000,
      (line, draw) => {
        counts.harmful++;
        expectDenied(line, mutate(line.sql, draw));
      },
    );
  }, 90_000);

  it("of what is harmless stay harmless and answer what they answer without a kernel", () => {
    forEachMutant(
      lines.filter(({ label }) => label === "harmless"),
      5_000,
      (line, draw) => {
        const sql = mutate(line.sql, draw);
        if (sql.length > 1_900) return;
        counts.harmless++;
        expectHarmless(line, sql);
      },
    );
  }, 90_000);

  it("of attempts are recorded", () => {
    forEachMutant(
      lines.filter(({ label }) => label === "attempt"),
      1_500,
      (line, draw) => {
        counts.attempt++;
        const sql = mutate(line.sql, draw);
        const { rules, changed } = judge(kernelOf(line), sql);
        expect({ line: line.id, sql, recorded: rules.length > 0, changed }).toMatchObject({
          recorded: true,
          changed: false,
        });
      },
    );
  }, 60_000);

  it("that are queries inside queries are judged like them", () => {
    const queries = lines.filter((line) => line.label !== "attempt" && wrap(line.sql, () => 0) !== null);
    forEachMutant(queries, 3_000, (line, draw) => {
      counts.wrapped++;
      const sql = mutate(wrap(line.sql, draw) as string, draw);
      if (line.label === "harmful") expectDenied(line, sql);
      else if (sql.length <= 1_900) expectHarmless(line, sql);
    });
  }, 60_000);

  it("that are only explained run nothing and break no rule", () => {
    const single = lines.filter(
      ({ sql }) => oneStatement(sql) !== null && !/^\s*explain/i.test(oneStatement(sql) as string),
    );
    forEachMutant(single, 1_500, (line, draw) => {
      counts.explained++;
      const how = ["EXPLAIN ", "explain query plan\n", "EXPLAIN/**/"][draw(3)] as string;
      const sql = how + oneStatement(line.sql);
      const { rules, changed } = judge(kernelOf(line), sql);
      const broken = rules.filter((rule) => !rule.startsWith("limit "));
      expect({ line: line.id, sql, rules: broken, changed }).toMatchObject({ rules: [], changed: false });
    });
  }, 60_000);

  it("that combine two texts are as harmful as either", () => {
    const harmful = lines.filter(({ label }) => label === "harmful");
    const companions = new Map(
      [...kernels.keys()].map((policy) => [policy, linesOf(policy).filter((line) => readOnly.includes(line))]),
    );
    forEachMutant(harmful, 3_000, (line, draw) => {
      counts.combined++;
      const friends = companions.get(line.policy) ?? [];
      const friend = friends[draw(friends.length)]?.sql ?? "SELECT 1";
      const judged = draw(2) === 0 ? `${friend}\n;${line.sql}` : `${line.sql}\n; ${friend}`;
      expectDenied(line, draw(2) === 0 ? judged : mutate(judged, draw));
    });
  }, 60_000);
});
