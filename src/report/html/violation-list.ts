import type { StoredViolation } from "../../store/lightning-store.ts";
import { worstViolations } from "../worst-violations.ts";
import { html, type Markup } from "./markup.ts";

const shown = 25;

/** The costliest violations, the same statement once. */
export function violationList(violations: readonly StoredViolation[]): Markup {
  if (violations.length === 0) return html`<p>The kernel recorded no violation.</p>`;
  const worst = worstViolations(violations, { limit: shown });
  return html`<div class="wide"><table class="violations">
<caption>${worst.length} costliest of ${violations.length} recorded violations, the same statement once</caption>
<thead><tr><th scope="col">severity</th><th scope="col">rule</th><th scope="col">statement</th><th scope="col">times</th><th scope="col">blocked</th><th scope="col">cost</th><th scope="col">first, last episode</th></tr></thead>
<tbody>${worst.map(
    (violation) => html`<tr><td><span class="severity ${violation.severity}">${violation.severity}</span></td>
<td>${violation.policy}: ${violation.rule}</td><td class="statement"><code>${violation.statement}</code></td>
<td class="number">${violation.count}</td><td class="number">${violation.blockedCount}</td><td class="number">${violation.penalty}</td>
<td class="episodes">${violation.firstEpisode}<br>${violation.lastEpisode}</td></tr>
`,
  )}</tbody></table></div>
`;
}
