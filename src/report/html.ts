import type { StoredViolation } from "../store/lightning-store.ts";
import type { RunReport } from "./run-report.ts";

/** The run as one self-contained page: no script, no font, no picture from elsewhere. */
export function renderHtml(
  report: RunReport,
  _options: { readonly violations?: readonly StoredViolation[] } = {},
): string {
  return report.run;
}
