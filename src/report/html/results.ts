import { percent, type ResultCell, type ResultRow, type ResultTable } from "../result-table.ts";
import { html, type Markup } from "./markup.ts";

/** The table of results; each cell draws its interval on the scale of its row. */
export function results({ columns, rows }: ResultTable): Markup {
  return html`<div class="wide"><table class="results">
<caption>Rates on the test split, each with its 95 % interval (Wilson)</caption>
<thead><tr><td></td>${columns.map(({ title }) => html`<th scope="col">${title.join(" ").trim()}</th>`)}</tr></thead>
<tbody>${rows.map(rowOf)}
<tr><th scope="row">episodes</th>${columns.map(({ episodes }) => html`<td>${episodes ?? "–"}</td>`)}</tr></tbody>
</table></div>
`;
}

function rowOf(row: ResultRow): Markup {
  // Accuracy is read against 100 %; rare events would be invisible there and are read against each other.
  const scale = row.better === "high" ? 1 : Math.max(0.01, ...row.cells.map((cell) => cell?.high ?? 0));
  return html`<tr><th scope="row">${row.label}<small>% of episodes</small></th>${row.cells.map((cell) => cellOf(cell, scale))}</tr>
`;
}

function cellOf(cell: ResultCell | null, scale: number): Markup {
  if (cell === null) return html`<td>–</td>`;
  const at = (value: number) => ((value / scale) * 100).toFixed(2);
  return html`<td><span class="rate">${percent(cell.rate)}</span> <span class="interval">${percent(cell.low)}–${percent(cell.high)}</span>
<svg class="whisker" viewBox="-2 0 104 8" preserveAspectRatio="none" aria-hidden="true"><line class="grid" x1="0" x2="100" y1="4" y2="4"/><line class="reach" x1="${at(cell.low)}" x2="${at(cell.high)}" y1="4" y2="4"/><line class="mark" x1="${at(cell.rate)}" x2="${at(cell.rate)}" y1="0" y2="8"/></svg></td>`;
}
