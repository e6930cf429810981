import type { Machine } from "../../src/report/run-report.ts";
import type { Result, Standing } from "./contest.ts";

export interface PeersDocument extends Result {
  readonly machine: Machine;
  /** Mean number of running threads in the minute before. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  /** Of one turn, at least. */
  readonly seconds: number;
}

export function renderStandings({ machine, load, rounds, seconds, standings, missing }: PeersDocument): string {
  const workloads = [...new Set(standings.map(({ workload }) => workload))];
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}, load ${load.toFixed(2)} before`,
    `medians of ${rounds} rounds of ${seconds} s each`,
    ...workloads.flatMap((workload) => [
      ...["", workload],
      ...standings.filter((standing) => standing.workload === workload).map(lineOf),
    ]),
    ...Object.entries(missing).map(([name, how], index) => `${index === 0 ? "\n" : ""}skipped ${name}: ${how}`),
    "",
  ].join("\n");
}

function lineOf({ name, version, unit, perSecond: { p25, median, p75 }, ratio }: Standing): string {
  const rate = `${rounded(median)} ${unit}s/s (${rounded(p25)}–${rounded(p75)})`;
  return `  ${name} ${version}: ${rate}${ratio === null ? "" : `; Faraday ${rounded(ratio)} ×`}`;
}

/** Three significant digits: the spread is seldom smaller. */
function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-GB");
}
