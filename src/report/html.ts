import type { StoredViolation } from "../store/lightning-store.ts";
import { curves } from "./html/curves.ts";
import { type Fact, facts, machineFacts } from "./html/facts.ts";
import { html } from "./html/markup.ts";
import { results } from "./html/results.ts";
import { style } from "./html/style.ts";
import { violationList } from "./html/violation-list.ts";
import { resultTable } from "./result-table.ts";
import type { RunReport } from "./run-report.ts";
import { type TimeSplit, timeParts } from "./time-split.ts";

/**
 * A run as one self-contained page: no script, and nothing from elsewhere. Everything in it is escaped, since
 * statements are what an agent wrote. Without `violations`, the page has no list of them.
 */
export function renderHtml(
  report: RunReport,
  options: { readonly violations?: readonly StoredViolation[] } = {},
): string {
  const { violations } = options;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Faraday run ${report.run}</title>
${style}
</head>
<body>
<header><h1>Run ${report.run}</h1>
<p class="lead">An agent trained by reinforcement learning inside a safety kernel.</p>
${facts(runFacts(report))}</header>
<main>
<section><h2>What training changed</h2>${results(resultTable(report))}</section>
<section><h2>Training</h2>${curves(report.curve)}</section>
${violations === undefined ? null : html`<section><h2>Worst violations</h2>${violationList(violations)}</section>`}
${report.time === null ? null : html`<section><h2>Where the time went</h2>${facts(timeFacts(report.time))}</section>`}
<section><h2>Settings</h2>${facts(Object.entries(report.config).map(([path, value]) => [path, String(value)]))}</section>
<section><h2>Machine</h2>${facts(machineFacts(report.machine))}</section>
</main>
</body>
</html>
`;
  return page.text;
}

function runFacts(report: RunReport): readonly Fact[] {
  const { status, wallSeconds, iterations, episodes, quarantinedEpisodes, workers, seed, curve } = report;
  const positive = curve.flatMap(({ metrics }) => metrics.violatorsWithPositiveAdvantage ?? []);
  const sum = positive.reduce((total, count) => total + count, 0);
  return [
    ["status", status],
    ["wall time", `${wallSeconds.toFixed(1)} s`],
    ["iterations", iterations],
    ["training episodes", episodes],
    ["quarantined episodes", quarantinedEpisodes],
    ...(report.quarantinedTasks.length === 0
      ? []
      : [["quarantined tasks", report.quarantinedTasks.join(", ")] as const]),
    ["workers", workers],
    ["seed", seed],
    ...(report.audit === null ? [] : [["audit root", `${report.audit.root} at size ${report.audit.size}`] as const]),
    ...(positive.length === 0 ? [] : [["violators rewarded", sum] as const]),
  ];
}

function timeFacts(time: TimeSplit): readonly Fact[] {
  return timeParts.map((part) => [part, `${time[part].toFixed(1)} s`]);
}
