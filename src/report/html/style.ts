import { html } from "./markup.ts";

/** Colours keep a contrast of at least 4.5 for text and 3 for lines on either ground; lines differ in dashes too. */
export const style = html`<style>
:root { color-scheme: light dark; --ground: #fcfcfb; --card: #ffffff; --ink: #1c1f23; --soft: #5b626b; --rule: #dfe2e6;
  --line-0: #1f5fbf; --line-1: #b4530a; --line-2: #1d7a54; --critical: #a31515; --high: #b4530a; --medium: #7a5c00; --low: #5b626b; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1c2024; --ink: #e8eaed; --soft: #a3abb5; --rule: #343a41;
  --line-0: #7db1ff; --line-1: #ffab66; --line-2: #6fd6a5; --critical: #ff8f8f; --high: #ffab66; --medium: #e6c65c; --low: #a3abb5; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 32px 20px 64px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; }
p.lead { color: var(--soft); margin: 4px 0 0; }
dl.facts { display: flex; flex-wrap: wrap; gap: 10px; margin: 20px 0 0; }
dl.facts div { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 8px 14px; }
dt { color: var(--soft); font-size: 13px; }
dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; text-align: left; color: var(--soft); font-size: 13px; padding: 8px 14px; }
th, td { text-align: left; padding: 9px 14px; border-bottom: 1px solid var(--rule); vertical-align: top; font-weight: 400; }
thead th { font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; white-space: nowrap; }
.results { table-layout: fixed; min-width: 720px; }
.results th { white-space: normal; }
.results small { display: block; color: var(--soft); font-weight: 400; }
.rate { font-size: 20px; font-weight: 600; }
.interval, .tick, .label { color: var(--soft); fill: var(--soft); }
.interval { white-space: nowrap; }
.whisker { display: block; width: 100%; height: 10px; margin-top: 4px; }
.whisker line { vector-effect: non-scaling-stroke; }
.reach { stroke: var(--line-0); stroke-width: 4; stroke-opacity: .45; }
.mark { stroke: var(--line-0); stroke-width: 3; }
.grid { stroke: var(--rule); stroke-width: 1; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); gap: 14px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 14px; }
figcaption { font-weight: 600; margin-bottom: 6px; }
.chart > svg { display: block; width: 100%; height: auto; }
.tick, .label { font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke: var(--line); }
circle { fill: var(--line); }
.reach-bar { stroke: var(--line); stroke-width: 6; stroke-opacity: .4; }
.series-0 { --line: var(--line-0); }
.series-1 { --line: var(--line-1); }
.series-1 .line { stroke-dasharray: 7 3; }
.series-2 { --line: var(--line-2); }
.series-2 .line { stroke-dasharray: 2 3; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 0 0 6px; padding: 0; font-size: 13px; }
.legend svg { width: 24px; height: 8px; margin-right: 6px; }
.statement { min-width: 260px; }
code { display: block; max-height: 9em; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; direction: ltr;
  unicode-bidi: isolate; font: 13px/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.number { text-align: right; }
.episodes { white-space: nowrap; }
.severity { border: 1px solid currentColor; border-radius: 999px; padding: 1px 9px; font-size: 13px; }
.critical { color: var(--critical); } .high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); }
@media print { body { max-width: none; } .chart, tr { break-inside: avoid; } }
</style>`;
