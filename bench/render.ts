import type { Machine } from "../src/report/run-report.ts";
import type { MeasuredTask } from "./measure-suite.ts";

export interface BenchDocument {
  readonly machine: Machine;
  /** Mean number of running threads in the minute before: figures from a busy machine mean less. */
  readonly load: number;
  /** Of this package and of those that it measures with or runs on, by name. */
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly tasks: readonly MeasuredTask[];
}

const header = ["suite", "task", "median", "p25–p75", "each", "runs"];

export function renderBench({ machine, load, versions, tasks }: BenchDocument): string {
  const rows = tasks.map(({ suite, task, unit, runs, unitsPerSecond: { p25, median, p75 } }) => [
    ...[suite, task, `${rounded(median)} ${unit}s/s`, `${rounded(p25)}–${rounded(p75)}`],
    ...[duration(1 / median), String(runs)],
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((cells) => cells[column]?.length ?? 0)));
  const lines = [header, ...rows].map((cells) =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const gigabytes = (machine.memoryBytes / 2 ** 30).toFixed(0);
  const versionList = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${gigabytes} GiB, ${machine.platform}, Node ${machine.node}, load ${load.toFixed(2)} before`,
    versionList.join(", "),
    "",
    ...lines,
    ...peerLines(tasks),
    "",
  ].join("\n");
}

/** What the name of a task ends with that measures another program at the same work, in the same run. */
export const peerMark = ", Agent Lightning";

function peerLines(tasks: readonly MeasuredTask[]): readonly string[] {
  const peers = new Map(tasks.map((task) => [`${task.suite} ${task.task}`, task.unitsPerSecond.median]));
  const ratios = tasks.flatMap(({ suite, task, unitsPerSecond: { median } }) => {
    const peer = peers.get(`${suite} ${task}${peerMark}`);
    return peer === undefined ? [] : [`${suite}, ${task}: ${rounded(median / peer)} × Agent Lightning`];
  });
  return ratios.length === 0 ? [] : ["", ...ratios];
}

/** Three significant digits: the spread is seldom smaller. */
function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-GB");
}

function duration(seconds: number): string {
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  if (seconds >= 1e-6) return `${(seconds * 1e6).toPrecision(3)} µs`;
  return `${(seconds * 1e9).toPrecision(3)} ns`;
}
