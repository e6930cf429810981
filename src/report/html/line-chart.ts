import { html, type Markup } from "./markup.ts";
import { type Ticks, ticksOf } from "./ticks.ts";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn as error bars. */
  readonly ranges?: readonly (readonly [x: number, low: number, high: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** What the y axis must show whatever the data, e.g. 0. */
  readonly include?: readonly number[];
}

/** A figure with a title, labelled axes, a legend where there are several lines, and the value of each point on it. */
export function lineChart(chart: LineChart): Markup {
  const scale = scaleOf(chart);
  const legend = chart.series.length < 2 ? null : legendOf(chart.series);
  return html`<figure class="chart">
<figcaption>${chart.title}</figcaption>${legend}
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${descriptionOf(chart)}">
${yAxis(scale)}${xAxis(scale)}
<text class="label" transform="translate(10 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">${chart.yLabel}</text>
<text class="label" x="${(left + right) / 2}" y="${height - 4}" text-anchor="middle">${chart.xLabel}</text>
${chart.series.map((series, index) => line(series, index, scale))}
</svg></figure>
`;
}

const width = 360;
const height = 220;
const left = 64;
const right = width - 12;
const top = 10;
const bottom = height - 42;
/** Beyond this many points, single values are neither drawn nor named: they would cover each other. */
const markedPoints = 250;

interface Scale {
  readonly xTicks: Ticks;
  readonly yTicks: Ticks;
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

function scaleOf({ series, include = [] }: LineChart): Scale {
  const points = series.flatMap((each) => each.points);
  const xTicks = ticksOf(rangeOf(points.map(([x]) => x)), 6);
  const reached = series.flatMap(({ ranges = [] }) => ranges.flatMap(([, low, high]) => [low, high]));
  const yTicks = ticksOf(rangeOf([...points.map(([, y]) => y), ...reached, ...include]), 5);
  const xRange = rangeOf(points.map(([x]) => x));
  const xSpread = xRange.high - xRange.low || 1;
  return {
    xTicks: {
      ...xTicks,
      values: xTicks.values.filter((x) => Number.isInteger(x) && x >= xRange.low && x <= xRange.high),
    },
    yTicks,
    x: (value) => left + ((value - xRange.low) / xSpread) * (right - left),
    y: (value) => bottom - ((value - yTicks.low) / (yTicks.high - yTicks.low)) * (bottom - top),
  };
}

function rangeOf(values: readonly number[]): { readonly low: number; readonly high: number } {
  return values.reduce((range, value) => ({ low: Math.min(range.low, value), high: Math.max(range.high, value) }), {
    low: values[0] ?? 0,
    high: values[0] ?? 1,
  });
}

function yAxis({ yTicks, y }: Scale): readonly Markup[] {
  return yTicks.values.map(
    (value) => html`<line class="grid" x1="${left}" x2="${right}" y1="${fixed(y(value))}" y2="${fixed(y(value))}"/>
<text class="tick" x="${left - 8}" y="${fixed(y(value) + 4)}" text-anchor="end">${value.toFixed(yTicks.decimals)}</text>
`,
  );
}

function xAxis({ xTicks, x }: Scale): readonly Markup[] {
  return xTicks.values.map(
    (value) => html`<text class="tick" x="${fixed(x(value))}" y="${bottom + 18}" text-anchor="middle">${value}</text>
`,
  );
}

function line(series: Series, index: number, scale: Scale): Markup {
  const place = ([x, y]: readonly [number, number]) => `${fixed(scale.x(x))},${fixed(scale.y(y))}`;
  const marks = series.points.length > markedPoints ? [] : series.points;
  return html`<g class="series-${index}"><polyline class="line" points="${series.points.map(place).join(" ")}"/>${(series.ranges ?? []).map((range) => errorBar(range, scale))}
${marks.map(
  ([x, y]) =>
    html`<circle cx="${fixed(scale.x(x))}" cy="${fixed(scale.y(y))}" r="2.5"><title>${series.name}, ${x}: ${short(y)}</title></circle>`,
)}</g>
`;
}

function errorBar([x, low, high]: readonly [number, number, number], { x: xOf, y: yOf }: Scale): Markup {
  const at = fixed(xOf(x));
  return html`<line class="reach-bar" x1="${at}" x2="${at}" y1="${fixed(yOf(low))}" y2="${fixed(yOf(high))}"/>`;
}

function legendOf(series: readonly Series[]): Markup {
  return html`<ul class="legend">${series.map(
    ({ name }, index) =>
      html`<li class="series-${index}"><svg viewBox="0 0 24 8" aria-hidden="true"><line class="line" x1="0" x2="24" y1="4" y2="4"/></svg>${name}</li>`,
  )}</ul>`;
}

/** What a reader who does not see the lines needs to know of them. */
function descriptionOf({ title, series }: LineChart): string {
  const parts = series.map(({ name, points }) => {
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return `${name}: no values`;
    return `${name}: ${short(first[1])} at ${first[0]}, ${short(last[1])} at ${last[0]}`;
  });
  return `${title}. ${parts.join("; ")}.`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
