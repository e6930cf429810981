import { html, type Markup } from "./markup.ts";

/** Bars of shares that sum to 1, one under the other on one scale. */
export interface StackedBars {
  readonly title: string;
  /** In the order in which they are stacked; at most as many as there are colours. */
  readonly parts: readonly string[];
  readonly bars: readonly { readonly name: string; readonly shares: readonly number[] }[];
}

const width = 720;
const nameWidth = 240;
const rowHeight = 26;
const barHeight = 18;
/** Narrower than this, a segment has no room for its percentage. */
const labelledShare = 0.06;

/** A figure with a legend, a bar a row, and every share on it: as text where there is room, else as what a pointer shows. */
export function stackedBars({ title, parts, bars }: StackedBars): Markup {
  const height = bars.length * rowHeight;
  return html`<figure class="chart"><figcaption>${title}</figcaption>
<ul class="legend">${parts.map(
    (part, index) =>
      html`<li><svg viewBox="0 0 12 12" aria-hidden="true"><rect class="part-${index}" width="12" height="12"/></svg>${part}</li>`,
  )}</ul>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${descriptionOf({ title, parts, bars })}">
${bars.map((bar, row) => barOf(bar, parts, row * rowHeight))}</svg></figure>
`;
}

function barOf({ name, shares }: StackedBars["bars"][number], parts: readonly string[], top: number): Markup {
  let begun = 0;
  const segments = shares.map((share, index) => {
    const x = nameWidth + begun * (width - nameWidth);
    begun += share;
    return segmentOf({ x, top, share, index, part: parts[index] ?? "" });
  });
  return html`<text class="label" x="${nameWidth - 8}" y="${top + 14}" text-anchor="end">${name}</text>${segments}
`;
}

interface Segment {
  readonly x: number;
  readonly top: number;
  readonly share: number;
  readonly index: number;
  readonly part: string;
}

function segmentOf({ x, top, share, index, part }: Segment): Markup | null {
  if (share <= 0) return null;
  const wide = share * (width - nameWidth);
  const percent = `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  const label = html`<text class="share" x="${(x + wide / 2).toFixed(1)}" y="${top + 13}" text-anchor="middle">${percent}</text>`;
  return html`<rect class="part-${index}" x="${x.toFixed(1)}" y="${top}" width="${wide.toFixed(1)}" height="${barHeight}"><title>${part}: ${percent}</title></rect>${share < labelledShare ? null : label}`;
}

/** What a reader who does not see the bars needs to know of them. */
function descriptionOf({ title, parts, bars }: StackedBars): string {
  const texts = bars.map(({ name, shares }) => {
    const largest = shares.indexOf(Math.max(...shares));
    return `${name}: ${parts[largest] ?? "nothing"} most, ${((shares[largest] ?? 0) * 100).toFixed(0)} %`;
  });
  return `${title}. ${texts.join("; ")}.`;
}
