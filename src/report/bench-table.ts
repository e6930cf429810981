import { aligned } from "./aligned.ts";
import { type BenchReport, type BenchRow, benchParts, type Scaling } from "./bench-report.ts";

/** A bench for a terminal: its rows, what they say of each other, and where the time went. */
export function renderBench(report: BenchReport): string {
  const { rows, ratios, scaling } = report;
  const time = rows.flatMap((row) => row.threads.map((thread) => timeLine(row, thread)));
  const sections = [
    `${machineLine(report)}\n${versionsLine(report)}`,
    aligned([rateTitles, ...rows.map(rateLine)]),
    aligned([costTitles, ...rows.map(costLine)]),
    ...(time.length === 0 ? [] : [`Where the time went, in % of each thread's:\n${aligned([timeTitles, ...time])}`]),
    ...(ratios.length === 0 ? [] : [aligned(ratios.map(ratioLine))]),
    ...scaling.map(scalingLine),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** What runs a row, in words. */
export function rowName({ runner, workers, governed }: BenchRow): string {
  if (runner === "piscina") return `piscina, workers ${workers}`;
  const who = runner === "single-thread" ? "one thread" : `workers ${workers}`;
  return governed ? who : `${who}, ungoverned`;
}

export function machineLine({ machine, load }: Pick<BenchReport, "machine" | "load">): string {
  const { cpu, cores, memoryBytes, platform, node } = machine;
  const memory = `${(memoryBytes / 2 ** 30).toFixed(0)} GiB`;
  return `${cpu}, ${cores} cores, ${memory}, ${platform}, Node ${node}, load ${load.toFixed(2)} before`;
}

/** A number in three or four digits, with thousands apart. */
export function figure(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

function versionsLine({ versions }: Pick<BenchReport, "versions">): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}

const rateTitles = ["workload", "", "episodes/s", "p25–p75", "syscalls/s", "tokens/s", "efficiency", "batches"];

function rateLine(row: BenchRow): readonly string[] {
  const { p25, median, p75 } = row.spread.episodesPerSecond;
  return [
    ...[row.workload, rowName(row), figure(median), `${figure(p25)}–${figure(p75)}`],
    ...[figure(row.stepsPerSecond), figure(row.tokensPerSecond), percent(row.efficiency), String(row.runs)],
  ];
}

const costTitles = [
  ...["workload", "", "cores busy", "episodes/cpu s", "main busy", "loop delay p99", "a worker", "process"],
  ...["episode p50", "p95", "p99", "decision p50", "p95", "p99"],
];

function costLine(row: BenchRow): readonly string[] {
  const { workerBytes, processBytes } = row.memory;
  const { episode, decision } = row.latency ?? { episode: null, decision: null };
  return [
    ...[row.workload, rowName(row), row.coresBusy.toFixed(2), figure(row.episodesPerCpuSecond)],
    ...[percent(row.mainBusy), milliseconds(row.loopDelayP99)],
    ...[workerBytes === null ? "–" : megabytes(workerBytes), megabytes(processBytes)],
    ...[episode, decision].flatMap((times) =>
      times === null ? ["–", "–", "–"] : [times.p50, times.p95, times.p99].map(milliseconds),
    ),
  ];
}

const timeTitles = ["workload", "", "thread", ...benchParts];

function timeLine(row: BenchRow, { thread, parts }: BenchRow["threads"][number]): readonly string[] {
  return [row.workload, rowName(row), thread, ...benchParts.map((part) => (100 * parts[part]).toFixed(1))];
}

function ratioLine({ workload, what, value, perCpuSecond }: BenchReport["ratios"][number]): readonly string[] {
  return [workload, what, `${value.toFixed(2)} ×`, `(by processor time ${perCpuSecond.toFixed(2)} ×)`];
}

function scalingLine({ workload, governed, serialFraction, projected }: Scaling): string {
  const limits = projected.map(
    ({ workers, episodesPerSecond, speedup }) =>
      `${workers} cores ${figure(episodesPerSecond)} episodes/s (${speedup.toFixed(1)} ×)`,
  );
  const name = governed ? workload : `${workload}, ungoverned`;
  return `${name}: serial fraction ${percent(serialFraction)} by Amdahl's law; projected, not measured: ${limits.join(", ")}`;
}

function percent(share: number | null): string {
  return share === null ? "–" : `${(share * 100).toFixed(0)} %`;
}

function milliseconds(value: number): string {
  return value < 1 ? `${figure(value * 1000)} µs` : `${figure(value)} ms`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
