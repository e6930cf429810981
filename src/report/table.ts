import { percent, type ResultCell, resultTable } from "./result-table.ts";
import type { RunReport } from "./run-report.ts";
import { timeParts } from "./time-split.ts";

/**
 * The table of a run for a terminal: without the kernel, with it before training, and after. Plain text of about
 * 80 columns, without a line feed at its end.
 */
export function renderTable(
  report: Pick<RunReport, "ungoverned" | "before" | "after"> &
    Partial<Pick<RunReport, "quarantinedEpisodes" | "quarantinedTasks" | "config">>,
): string {
  const { columns, rows } = resultTable(report);
  const head = [0, 1].map((line) => ["", ...columns.map(({ title }) => title[line] ?? "")]);
  const body = [
    ...rows.map(({ label, cells }) => [label, ...cells.map(cellText)]),
    [
      "episodes",
      ...columns.map(({ episodes }) => (episodes === null ? missing : String(episodes).padStart(rateWidth))),
    ],
  ];
  const widths = columnWidths([...head, ...body]);
  const rule = "─".repeat(widths.reduce((sum, width) => sum + width + gap.length, -gap.length));
  const lines = (texts: readonly (readonly string[])[]) => texts.map((cells) => lineOf(cells, widths));
  return [rule, ...lines(head), rule, ...lines(body), rule, legend, ...warnings(report)].join("\n");
}

const legend = "Per cent of test episodes; in brackets the 95 % interval (Wilson).";

function warnings(report: Partial<Pick<RunReport, "quarantinedEpisodes" | "quarantinedTasks">>): readonly string[] {
  const { quarantinedEpisodes = 0, quarantinedTasks = [] } = report;
  if (quarantinedEpisodes === 0) return [];
  if (quarantinedTasks.length > 0) {
    const tasks = quarantinedTasks.join(", ");
    return [
      `Quarantined: ${quarantinedEpisodes} episodes, nothing was learned from them. Tasks that ended their workers: ${tasks}.`,
    ];
  }
  return [
    `Quarantined: ${quarantinedEpisodes}. Their records disagree with what came back, nothing was learned from them; see faraday audit show.`,
  ];
}

const gap = "  ";
/** Width of "100.0". */
const rateWidth = 5;
const missing = "–".padStart(rateWidth);

function cellText(cell: ResultCell | null): string {
  if (cell === null) return missing;
  return `${percent(cell.rate).padStart(rateWidth)} (${percent(cell.low)}–${percent(cell.high)})`;
}

function columnWidths(lines: readonly (readonly string[])[]): readonly number[] {
  return (lines[0] ?? []).map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join(gap)
    .trimEnd();
}

/** Where a run's time went, as one line; empty where that was not recorded. */
export function renderTime({ time, wallSeconds }: Pick<RunReport, "time" | "wallSeconds">): string {
  if (time === null) return "";
  const parts = timeParts.map((part) => `${part} ${time[part].toFixed(1)}`);
  return `Time: ${wallSeconds.toFixed(1)} s: ${parts.join(", ")}\n`;
}
