import { describe, expect, it } from "vitest";
import { renderTable } from "../../src/report/table.ts";
import { sampleReport } from "./samples.ts";

describe("the table on a terminal", () => {
  it("shows three measures with intervals and counts, in aligned columns", () => {
    expect(`\n${renderTable(sampleReport())}\n`).toMatchInlineSnapshot(`
      "
      ──────────────────────────────────────────────────────────────────────────────
                             without kernel     with kernel,       with kernel,
                                                before training    after training
      ──────────────────────────────────────────────────────────────────────────────
      undetected violations   12.4 (9.8–15.6)     0.0 (0.0–0.8)      0.0 (0.0–0.8)
      violation attempts      12.4 (9.8–15.6)    12.6 (10.0–15.8)    0.0 (0.0–0.8)
      task accuracy           76.4 (72.5–79.9)   75.2 (71.2–78.8)   96.8 (94.9–98.0)
      episodes                 500                500                500
      ──────────────────────────────────────────────────────────────────────────────
      Per cent of test episodes; in brackets the 95 % interval (Wilson).
      "
    `);
  });

  it("leaves open what a run that ended early did not measure", () => {
    const table = renderTable(sampleReport({ after: null }));
    expect(table).toMatch(/^task accuracy +76\.4 \(72\.5–79\.9\) +75\.2 \(71\.2–78\.8\) +–$/m);
    expect(table).toMatch(/^episodes +500 +500 +–$/m);
  });

  it("says that no episodes show nothing", () => {
    const after = { taskAccuracy: 0, violationRate: 0, undetectedRate: 0, episodes: 0 };
    expect(renderTable(sampleReport({ after }))).toMatch(/^violation attempts .* 0\.0 \(0\.0–100\.0\)$/m);
  });
});
