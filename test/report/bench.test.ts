import { expect, it } from "vitest";
import { renderBenchHtml } from "../../src/report/bench-html.ts";
import { type BenchReport, type BenchRow, benchParts } from "../../src/report/bench-report.ts";
import { renderBench } from "../../src/report/bench-table.ts";
import { sampleReport } from "./samples.ts";

function row(workers: number, episodesPerSecond: number): BenchRow {
  const quartiles = { p25: 0.9 * episodesPerSecond, median: episodesPerSecond, p75: 1.1 * episodesPerSecond };
  const parts = { ...Object.fromEntries(benchParts.map((part) => [part, 0])), kernel: 0.7, idle: 0.3 };
  return {
    ...{ workload: "<echo>", runner: "faraday", workers, governed: true, stored: true },
    ...{ episodesPerSecond, stepsPerSecond: 0, tokensPerSecond: 0, efficiency: 1 / workers, runs: 30 },
    spread: { episodesPerSecond: quartiles, stepsPerSecond: quartiles, tokensPerSecond: quartiles },
    ...{ coresBusy: 1.5, episodesPerCpuSecond: 1000, mainBusy: 0.4, loopDelayP99: 2.5 },
    memory: { workerBytes: 2 ** 20, processBytes: 2 ** 30 },
    latency: { episode: { p50: 1.25, p95: 2, p99: 3 }, decision: { p50: 0.002, p95: 0.003, p99: 0.004 } },
    threads: [{ thread: "workers", parts: parts as BenchRow["threads"][number]["parts"] }],
  };
}

const report: BenchReport = {
  ...{ machine: sampleReport().machine, load: 0.5, versions: { piscina: "5.3.2" }, seconds: 10, rounds: 5 },
  rows: [row(1, 12_345), row(2, 20_000)],
  ratios: [{ workload: "<echo>", what: "workers 2 / worker 1", value: 1.62, perCpuSecond: 0.97 }],
  scaling: [
    {
      ...{ workload: "<echo>", governed: true, serialFraction: 0.25 },
      measured: [],
      projected: [{ workers: 8, episodesPerSecond: 35_000, speedup: 2.9 }],
    },
  ],
};

it("the tables hold rates, latencies with their units, times, ratios, and the projection as such", () => {
  const text = renderBench(report);
  expect(text).toMatch(/<echo> +workers 1 +12,345 +11,111–13,580 /);
  expect(text).toMatch(/1\.50 +1,000 +40 % +2\.5 ms +1 MiB +1024 MiB +1\.25 ms +2 ms +3 ms +2 µs +3 µs +4 µs/);
  expect(text).toMatch(/<echo> +workers 1 +workers +0\.0 +0\.0 +70\.0 /);
  expect(text).toMatch(/workers 2 \/ worker 1 +1\.62 × +\(by processor time 0\.97 ×\)/);
  expect(text).toContain(
    "serial fraction 25 % by Amdahl's law; projected, not measured: 8 cores 35,000 episodes/s (2.9 ×)",
  );
});

it("the page draws the curve with its error bars and the times as bars, needs nothing else, and escapes what it shows", () => {
  const page = renderBenchHtml(report);
  expect(page.match(/class="reach-bar"/g)).toHaveLength(2);
  expect(page).toContain(
    'aria-label="&lt;echo&gt;. governed: 12350 at 1, 20000 at 2; linear: 12350 at 1, 24690 at 2."',
  );
  expect(page).toContain("<title>kernel: 70 %</title>");
  expect(page).toContain("A projection for machines with more cores, not a measurement");
  expect(page).toContain("prefers-color-scheme: dark");
  expect(page).not.toMatch(/<script|https?:|<echo>/);
});
