import type { RunReport } from "./run-report.ts";

/** The terminal table of a run: without the kernel, with it before training, and after. */
export function renderTable(report: RunReport): string {
  return report.run;
}
