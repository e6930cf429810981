import { type BenchReport, type BenchRow, benchParts, type Scaling } from "./bench-report.ts";
import { figure, rowName } from "./bench-table.ts";
import { benchStyle } from "./html/bench-style.ts";
import { type Fact, facts, machineFacts } from "./html/facts.ts";
import { lineChart, type Series } from "./html/line-chart.ts";
import { html, type Markup } from "./html/markup.ts";
import { stackedBars } from "./html/stacked-bars.ts";
import { style } from "./html/style.ts";

/** A bench as one self-contained page: no script, and nothing from elsewhere. */
export function renderBenchHtml(report: BenchReport): string {
  const { rows, ratios, scaling, machine, versions } = report;
  const workloads = [...new Set(rows.map(({ workload }) => workload))];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Faraday bench: ${workloads.join(", ")}</title>
${style}${benchStyle}
</head>
<body>
<header><h1>Faraday bench</h1>
<p class="lead">Governed rollouts by workload and number of workers: medians of ${report.rounds} rounds, ${report.seconds} s a row.</p>
${facts([...machineFacts(machine), ["load before", report.load.toFixed(2)]])}</header>
<main>
<section><h2>Scaling</h2><div class="charts">${workloads.map((workload) => scalingChart(workload, rows))}</div></section>
<section><h2>Rates</h2>${rateTable(rows)}</section>
${ratios.length === 0 ? null : html`<section><h2>Against each other</h2>${facts(ratios.map(({ workload, what, value, perCpuSecond }): Fact => [`${workload}: ${what}`, `${value.toFixed(2)} × (by processor time ${perCpuSecond.toFixed(2)} ×)`]))}</section>`}
<section><h2>Where the time went</h2>${workloads.map((workload) => timeBars(workload, rows))}</section>
${scaling.length === 0 ? null : html`<section><h2>Projection</h2>${projection(scaling)}</section>`}
<section><h2>Versions</h2>${facts(Object.entries(versions))}</section>
</main>
</body>
</html>
`;
  return page.text;
}

/** Measured rates with their quartiles, and what they would be if every worker brought as much as one. */
function scalingChart(workload: string, rows: readonly BenchRow[]): Markup {
  const pools = rows.filter((row) => row.workload === workload && row.runner === "faraday");
  const series = [true, false].flatMap((governed): readonly Series[] => {
    const own = pools.filter((row) => row.governed === governed).toSorted((a, b) => a.workers - b.workers);
    if (own.length === 0) return [];
    return [
      {
        name: governed ? "governed" : "ungoverned",
        points: own.map(({ workers, episodesPerSecond }) => [workers, episodesPerSecond] as const),
        ranges: own.map(({ workers, spread: { episodesPerSecond: rate } }) => [workers, rate.p25, rate.p75] as const),
      },
    ];
  });
  const single = pools.find(({ workers }) => workers === 1)?.episodesPerSecond;
  const counts = [...new Set(pools.map(({ workers }) => workers))].toSorted((a, b) => a - b);
  const linear =
    single === undefined || counts.length < 2 ? [] : counts.map((count) => [count, count * single] as const);
  return lineChart({
    ...{ title: workload, xLabel: "workers", yLabel: "episodes a second", include: [0] },
    series: [...series, ...(linear.length === 0 ? [] : [{ name: "linear", points: linear }])],
  });
}

const titles = [
  ...[
    "workload",
    "",
    "episodes/s",
    "p25–p75",
    "syscalls/s",
    "tokens/s",
    "efficiency",
    "cores busy",
    "main thread busy",
  ],
  ...["episode p50", "p95", "p99", "decision p50", "p95", "p99", "a worker"],
];

function rateTable(rows: readonly BenchRow[]): Markup {
  return html`<div class="wide"><table>
<caption>Latencies in milliseconds, of a round of their own; a decision is a syscall from its intent to its outcome, its effect included</caption>
<thead><tr>${titles.map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>${rows.map(rateRow)}</tbody></table></div>
`;
}

function rateRow(row: BenchRow): Markup {
  const { p25, median, p75 } = row.spread.episodesPerSecond;
  const { episode, decision } = row.latency ?? { episode: null, decision: null };
  const { workerBytes } = row.memory;
  const cells = [
    ...[rowName(row), figure(median), `${figure(p25)}–${figure(p75)}`, figure(row.stepsPerSecond)],
    ...[figure(row.tokensPerSecond), row.efficiency === null ? "–" : `${(row.efficiency * 100).toFixed(0)} %`],
    ...[row.coresBusy.toFixed(2), `${(row.mainBusy * 100).toFixed(0)} %`],
    ...[episode, decision].flatMap((times) =>
      times === null ? ["–", "–", "–"] : [times.p50, times.p95, times.p99].map(figure),
    ),
    workerBytes === null ? "–" : `${(workerBytes / 2 ** 20).toFixed(0)} MiB`,
  ];
  return html`<tr><th scope="row">${row.workload}</th>${cells.map((cell) => html`<td class="figure">${cell}</td>`)}</tr>
`;
}

function timeBars(workload: string, rows: readonly BenchRow[]): Markup | null {
  const bars = rows
    .filter((row) => row.workload === workload)
    .flatMap((row) =>
      row.threads.map(({ thread, parts }) => ({
        name: `${rowName(row)}: ${thread}`,
        shares: benchParts.map((part) => parts[part]),
      })),
    );
  return bars.length === 0 ? null : stackedBars({ title: workload, parts: benchParts, bars });
}

function projection(scaling: readonly Scaling[]): Markup {
  const [first] = scaling;
  return html`<div class="wide"><table>
<caption>Amdahl's law fitted to the measured rows. A projection for machines with more cores, not a measurement</caption>
<thead><tr><th scope="col">workload</th><th scope="col">serial fraction</th>${(first?.projected ?? []).map(
    ({ workers }) => html`<th scope="col">${workers} cores, projected</th>`,
  )}</tr></thead>
<tbody>${scaling.map(
    ({ workload, governed, serialFraction, projected }) =>
      html`<tr><th scope="row">${governed ? workload : `${workload}, ungoverned`}</th><td class="figure">${(serialFraction * 100).toFixed(1)} %</td>${projected.map(
        ({ episodesPerSecond, speedup }) =>
          html`<td class="figure">${figure(episodesPerSecond)} episodes/s (${speedup.toFixed(1)} ×)</td>`,
      )}</tr>
`,
  )}</tbody></table></div>
`;
}
