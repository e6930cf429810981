import type { ComparedRow, Comparison } from "./comparison.ts";

const header = ["row", "base", "head", "head / base", "p", "verdict"];

export function renderComparison({ base, head, rounds, load, rows, onlyIn }: Comparison): string {
  const lines = [header, ...rows.map(cellsOf)];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return [
    `episodes/s, medians of ${rounds} rounds, load ${load.toFixed(2)} before`,
    `base ${base.name} (${base.commit.slice(0, 12)}), head ${head.name} (${head.commit.slice(0, 12)})`,
    "",
    ...lines.map((cells) => cells.map(pad).join("  ").trimEnd()),
    ...onlyIn.map(({ name, side }) => `${name}: in ${side} alone, not compared`),
    "",
  ].join("\n");
}

function cellsOf({ name, base, head, ratio, probability, verdict }: ComparedRow): readonly string[] {
  return [name, rounded(base), rounded(head), ratio.toFixed(3), probability.toFixed(4), verdict];
}

function rounded(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en-GB");
}
