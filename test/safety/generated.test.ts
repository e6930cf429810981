import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootKernels, policyNames } from "./corpus.ts";
import { judgeUnderOracle } from "./judged.ts";
import { statement } from "./statements.ts";

/** Another seed makes other statements: SAFETY_SEED=7 npx vitest run test/safety/generated.test.ts */
const seed = Number(process.env.SAFETY_SEED ?? 1);
const statements = 2_400;
const counts = { completed: 0, denied: 0, failed: 0, seenByOracle: 0, alsoRecorded: 0 };

let kernels: ReadonlyMap<string, KernelSpace>;
beforeAll(async () => {
  kernels = await bootKernels();
});
afterAll(() => console.log(`${statements} statements under seed ${seed}: ${JSON.stringify(counts)}`));

it("whatever the oracle sees of a random statement was recorded, and under the kernel it sees nothing", () => {
  const property = fc.property(fc.constantFrom(...policyNames), statement, (policy, sql) => {
    const kernel = kernels.get(policy) as KernelSpace;
    const governed = judgeUnderOracle(kernel, sql);
    const ungoverned = judgeUnderOracle(kernel, sql, { governed: false });
    counts[governed.result.outcome]++;
    if (ungoverned.findings.length > 0) counts.seenByOracle++;
    if (ungoverned.findings.length > 0 && governed.rules.length > 0) counts.alsoRecorded++;
    expect({ policy, sql, left: governed.findings }).toMatchObject({ left: [] });
    if (ungoverned.findings.length > 0)
      expect({ policy, sql, findings: ungoverned.findings, recorded: governed.rules.length > 0 }).toMatchObject({
        recorded: true,
      });
    if (governed.rules.length === 0)
      expect({ policy, sql, told: governed.told }).toMatchObject({ told: ungoverned.told });
  });
  fc.assert(property, { numRuns: statements, seed });
}, 300_000);
