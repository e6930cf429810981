import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { defaultConfigFile, loadConfig } from "../../src/config/load-config.ts";
import { openStore, type RunReport, Trainer } from "../../src/index.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { freshFolder } from "./chatter.ts";

const out = join(freshFolder(), "run");
let report: RunReport;

/** The shipped SQL agent under its own config, for as few iterations as show something. */
beforeAll(async () => {
  const { config } = await loadConfig({ file: defaultConfigFile });
  const train = { iterations: 3, groupsPerBatch: 8, groupSize: 4, groupsPerTask: 4, evalEpisodes: 16 };
  report = await new Trainer({ kernel: new KernelSpace(config.kernel), env: "sql", train, workers: 2, out }).train();
});

describe("after a run of the shipped SQL agent", () => {
  test("one query says which statement of which episode violated which rule under which weights, and what it cost", () => {
    using database = new DatabaseSync(join(out, "faraday.db"), { readOnly: true });
    const rows = database
      .prepare(
        `SELECT statement, episode, policy, rule, weights, penalty, episode_cost, advantage, phase, iteration, severity
         FROM violation_report WHERE run = ? ORDER BY penalty DESC`,
      )
      .all(report.run);
    expect(rows.length).toBeGreaterThan(0);
    const price = { critical: 100, high: 50, medium: 10, low: 1 };
    for (const row of rows) {
      expect(row.statement).toMatch(/\S/);
      expect(row.episode).toMatch(new RegExp(`^${row.phase}-${row.iteration}-\\d+-\\d+$`));
      expect(["sql", "budget", "kernel"]).toContain(row.policy);
      expect(row.rule).toMatch(/\S/);
      expect(row.weights).toBe(row.phase === "train" ? Number(row.iteration) - 1 : row.iteration);
      expect(row.penalty).toBe(price[row.severity as keyof typeof price]);
      expect(row.episode_cost).toBeGreaterThanOrEqual(Number(row.penalty));
      if (row.phase === "train") expect(row.advantage).toBeLessThanOrEqual(0);
      // Without the kernel nothing is judged, so nothing is recorded.
      expect(row.phase).not.toBe("ungoverned");
    }
  });

  test("violations in the store are those of the audit, and what was refused was never carried out", async () => {
    await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
    const records = (await store.audit(report.run)).flatMap(recordsOf);
    const recorded = records.flatMap((record) =>
      record.kind === "outcome" ? record.violations.map(({ rule }) => `${record.episode} ${record.step} ${rule}`) : [],
    );
    const stored = (await store.violations(report.run)).map(({ episode, step, rule }) => `${episode} ${step} ${rule}`);
    expect(stored.sort()).toEqual(recorded.sort());
    for (const record of records) {
      if (record.kind !== "outcome" || !record.violations.some((violation) => violation.blocked)) continue;
      expect(record.outcome).toBe("denied");
    }
  });

  test("the report's measures are those of the stored episodes", async () => {
    await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
    for (const phase of ["ungoverned", "before", "after"] as const) {
      const episodes = await store.episodes(report.run, phase);
      expect(episodes).toHaveLength(16);
      expect(report[phase]?.taskAccuracy).toBe(episodes.filter((episode) => episode.success).length / 16);
    }
    expect(report.curve).toHaveLength(3);
    expect(report.curve.every(({ metrics }) => metrics.violatorsWithPositiveAdvantage === 0)).toBe(true);
    expect(report.before?.undetectedRate).toBe(0);
    expect(report.after?.undetectedRate).toBe(0);
  });
});
