import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadConfig } from "../../../src/config/load-config.ts";
import { findWorkload } from "../../../src/config/workloads.ts";
import { benchParts } from "../../../src/report/bench-report.ts";
import { type BenchOptions, measureBench } from "../../../src/run/bench/measure.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-test-measure-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("says where the time of each thread went, in shares, and how long episodes and decisions took", async () => {
  const { rows } = await measured(["sql-scripted"], { stored: false });
  const [pool, single] = rows;
  expect(pool).toMatchObject({ runner: "faraday", stored: false, efficiency: 1 });
  expect(single).toMatchObject({ runner: "single-thread", workers: 0, stored: false, efficiency: null });
  expect(pool?.threads.map(({ thread }) => thread)).toEqual(["main", "workers"]);
  expect(single?.threads.map(({ thread }) => thread)).toEqual(["main"]);
  for (const { parts } of rows.flatMap(({ threads }) => threads)) {
    expect(Object.keys(parts)).toEqual([...benchParts]);
    expect(Object.values(parts).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
  }
  const { episode, decision } = pool?.latency ?? {};
  expect(episode?.p50).toBeGreaterThan(decision?.p50 ?? Number.POSITIVE_INFINITY);
  expect(episode?.p99).toBeGreaterThanOrEqual(episode?.p95 ?? Number.POSITIVE_INFINITY);
  expect(single?.latency).toBeNull();
});

it("sets the rows of one run against each other: workers, bare piscina tasks, the law of Amdahl", async () => {
  const { rows, ratios, scaling } = await measured(["echo-spans"], { workerCounts: [1, 2] });
  expect(rows.map(({ runner, workers }) => `${runner} ${workers}`)).toEqual(["faraday 1", "faraday 2", "piscina 2"]);
  const [spans] = rows;
  expect(spans?.threads.map(({ thread }) => thread)).toEqual(["main", "workers", "store"]);
  expect(spans).toMatchObject({ governed: true, stored: true, tokensPerSecond: 0 });
  expect(spans?.stepsPerSecond).toBeCloseTo(4 * (spans?.episodesPerSecond ?? 0), 3);
  const named = ratios.map(({ what }) => what);
  expect(named).toEqual(["workers 2 / worker 1", "workers 2 / bare piscina tasks"]);
  expect(scaling).toMatchObject([
    { workload: "echo-spans", governed: true, measured: [{ workers: 1 }, { workers: 2 }] },
  ]);
});

it("measures with the kernel and without", async () => {
  const { rows, ratios, scaling } = await measured(["control"], { governed: [true, false], stored: false });
  expect(rows.map(({ workers, governed }) => `${workers} ${governed}`)).toEqual(["1 true", "1 false"]);
  expect(ratios.map(({ what }) => what)).toEqual(["workers 1 / the same ungoverned"]);
  expect(scaling).toEqual([]);
});

it("has agents that wait wait side by side", async () => {
  const sets = ["agent.minMs=100", "agent.maxMs=100", "train.groupsPerBatch=8", "train.groupsPerTask=8"];
  const { rows } = await measured(["wait"], { stored: false }, sets);
  // One after the other, a second has ten.
  expect(rows[0]?.episodesPerSecond).toBeGreaterThan(20);
});

it("an aborted measurement ends after the batch in hand, with its workers closed and its store gone", async () => {
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (text: string) => {
    told.push(text);
    if (text.includes("round 1")) stop.abort(new Error("enough"));
  };
  const measuring = measured(["echo-spans"], { signal: stop.signal, tell });
  await expect(measuring).rejects.toThrow("the measurement was cancelled");
  expect(told.filter((text) => text.includes("round"))).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});

async function measured(
  names: readonly string[],
  {
    stored = true,
    governed = [true],
    ...options
  }: Partial<BenchOptions> & { readonly stored?: boolean; readonly governed?: readonly boolean[] },
  more: readonly string[] = [],
) {
  const small = ["train.groupsPerBatch=4", "train.groupsPerTask=2", "train.groupSize=2"];
  const workloads = await Promise.all(
    names.map(async (name) => {
      const { file, sets, ...workload } = findWorkload(name);
      const { config } = await loadConfig({ file, sets: [...sets, ...small, ...more] });
      return { ...workload, stored, governed, config };
    }),
  );
  return measureBench({
    ...{ workloads, workerCounts: [1], seconds: 0.1 },
    ...{ signal: new AbortController().signal, tell: () => {}, ...options },
  });
}
