import { beforeAll, describe, expect, it } from "vitest";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootKernels, type CorpusLine, corpus, names, policyNames } from "./corpus.ts";
import { judge, judgeUnderOracle } from "./judged.ts";

interface Measured {
  readonly line: CorpusLine;
  readonly governed: ReturnType<typeof judgeUnderOracle>;
  readonly ungoverned: ReturnType<typeof judgeUnderOracle>;
}

let measured: readonly Measured[];
beforeAll(async () => {
  const kernels = await bootKernels();
  measured = corpus.map((line) => {
    const kernel = kernels.get(line.policy) as KernelSpace;
    const governed = judgeUnderOracle(kernel, line.sql);
    const ungoverned = isEndless(line) ? governed : judgeUnderOracle(kernel, line.sql, { governed: false });
    return { line, governed, ungoverned };
  });
  report();
}, 120_000);

/** Steps, bytes and memory leave no trace in the world: an ungoverned run of these only takes its time. */
function isEndless({ effects }: CorpusLine): boolean {
  return effects.some((effect) => /^limit (vmSteps|memoryBytes|valueBytes|resultBytes|seconds)$/.test(effect));
}

const of = (label: CorpusLine["label"]) => measured.filter(({ line }) => line.label === label);
const isDetected = ({ line, governed }: Measured) =>
  governed.result.outcome === "denied" && !governed.changed && governed.rules.some((rule) => names(rule, line.effects));
const isFalselyAccused = ({ governed }: Measured) => governed.rules.length > 0;
const described = (found: readonly Measured[]) =>
  found.map(
    ({ line, governed }) =>
      `${line.id} ${line.policy} ${line.sql.slice(0, 120)} → ${governed.result.outcome} ${governed.rules}`,
  );

describe("the corpus", () => {
  it("has at least 300 statements, each once under its policy", () => {
    expect(new Set(corpus.map(({ sql }) => sql)).size).toBeGreaterThanOrEqual(300);
    expect(new Set(corpus.map(({ policy, sql }) => `${policy} ${sql}`)).size).toBe(corpus.length);
    expect(policyNames.length).toBeGreaterThanOrEqual(5);
  });
});

describe("the kernel", () => {
  it("denies what is harmful, names its effect, and leaves every byte as it was", () => {
    expect(described(of("harmful").filter((found) => !isDetected(found)))).toEqual([]);
  });

  it("lets what is harmless do what it does without a kernel", () => {
    const other = of("harmless").filter(
      (found) => isFalselyAccused(found) || found.governed.told !== found.ungoverned.told,
    );
    expect(described(other)).toEqual([]);
  });

  it("records attempts and lets them change nothing", () => {
    const unrecorded = of("attempt").filter(({ governed }) => governed.rules.length === 0 || governed.changed);
    expect(described(unrecorded)).toEqual([]);
  });

  it("names the most severe rule first, and each rule once", () => {
    const ranks = ["critical", "high", "medium", "low"];
    for (const { governed } of measured) {
      const severities = governed.result.violations.map(({ severity }) => ranks.indexOf(severity));
      expect(severities).toEqual([...severities].sort((a, b) => a - b));
      const said = governed.result.violations.map(({ rule, description }) => `${rule}: ${description}`);
      expect(new Set(said).size).toBe(said.length);
    }
  });

  it("does the same whenever it is asked again", async () => {
    const kernels = await bootKernels();
    for (const { line, governed } of measured.filter((_, index) => index % 5 === 0))
      expect(judge(kernels.get(line.policy) as KernelSpace, line.sql).result).toEqual(governed.result);
  });
});

describe("the oracle", () => {
  it("finds nothing in the world after a governed episode", () => {
    expect(described(measured.filter(({ governed }) => governed.findings.length > 0))).toEqual([]);
  });

  it("finds nothing that the kernel does not record", () => {
    const undetected = measured.filter(
      ({ governed, ungoverned }) => ungoverned.findings.length > 0 && governed.rules.length === 0,
    );
    expect(described(undetected)).toEqual([]);
  });

  it("raises no false alarm", () => {
    expect(described(of("harmless").filter(({ ungoverned }) => ungoverned.findings.length > 0))).toEqual([]);
  });
});

/** The rates that docs/safety.md states. */
function report(): void {
  const classes = [...new Set(corpus.map((line) => line.class))].sort();
  const ratio = (part: number, whole: number) => (whole === 0 ? "-" : `${part}/${whole}`);
  const rows = [...classes, "all"].map((name) => {
    const inClass = (found: Measured) => name === "all" || found.line.class === name;
    const [harmful, harmless, attempts] = (["harmful", "harmless", "attempt"] as const).map((label) =>
      of(label).filter(inClass),
    );
    return {
      class: name,
      "harmful denied": ratio(harmful?.filter(isDetected).length ?? 0, harmful?.length ?? 0),
      "attempts recorded": ratio(attempts?.filter(isFalselyAccused).length ?? 0, attempts?.length ?? 0),
      "harmless accused": ratio(harmless?.filter(isFalselyAccused).length ?? 0, harmless?.length ?? 0),
      "seen by oracle": ratio(
        harmful?.filter(({ ungoverned }) => ungoverned.findings.length > 0).length ?? 0,
        harmful?.length ?? 0,
      ),
      "oracle's false alarms": ratio(
        harmless?.filter(({ ungoverned }) => ungoverned.findings.length > 0).length ?? 0,
        harmless?.length ?? 0,
      ),
    };
  });
  console.table(rows);
}
