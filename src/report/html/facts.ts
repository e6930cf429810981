import type { Machine } from "../run-report.ts";
import { html, type Markup } from "./markup.ts";

export type Fact = readonly [name: string, value: string | number];

export function facts(list: readonly Fact[]): Markup {
  return html`<dl class="facts">${list.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function machineFacts({ cpu, cores, memoryBytes, platform, node }: Machine): readonly Fact[] {
  return [
    ["processor", cpu],
    ["cores", cores],
    ["memory", `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["platform", platform],
    ["Node.js", node],
  ];
}
