import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderHtml } from "../../src/report/html.ts";
import { RunReport } from "../../src/report/run-report.ts";
import { sampleReport, sampleViolation } from "./samples.ts";

/** Names of the elements in a page, in order. */
function elements(page: string): readonly string[] {
  return [...page.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, name]) => name ?? "");
}

describe("the page of a run", () => {
  it("shows the figures of the report", () => {
    const page = renderHtml(sampleReport());
    for (const text of ["2026-03-01-sql-1", "succeeded", "96.8", "94.9–98.0", "15360", "AMD EPYC 7R13", "20.3 s"]) {
      expect(page).toContain(text);
    }
  });

  it("needs nothing from elsewhere and runs no script", () => {
    const page = renderHtml(sampleReport(), { violations: [sampleViolation()] });
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:/i);
    expect(page).toContain("default-src 'none'");
  });

  it("draws a titled, labelled figure of each curve that the run has, and a legend for several lines", () => {
    const page = renderHtml(sampleReport());
    expect(page.match(/<figcaption>/g)).toHaveLength(12);
    expect(page.match(/<svg[^>]* role="img" aria-label="[^"]+"/g)).toHaveLength(12);
    expect(page.match(/>iteration<\/text>/g)).toHaveLength(12);
    expect(page.match(/<ul class="legend">/g)).toHaveLength(1);
    const curve = [{ iteration: 0, metrics: { accuracy: 0.5, somethingElse: 1 } }];
    expect(renderHtml(sampleReport({ curve })).match(/<figcaption>/g)).toHaveLength(1);
  });

  it("draws no number that is none, whatever the figures", () => {
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    const names = ["accuracy", "meanCost", "loss", "rolloutSeconds"] as const;
    const point = fc.record({ iteration: fc.nat(10_000), metrics: fc.dictionary(fc.constantFrom(...names), value) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 6 }), (curve) => {
        expect(renderHtml(sampleReport({ curve }))).not.toMatch(/NaN|Infinity|undefined|\[object/);
      }),
    );
  });

  it("shows hostile text as text, wherever it comes from", () => {
    const harmless = renderHtml(sampleReport({ curve: [], config: { key: "value" } }), {
      violations: [sampleViolation()],
    });
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("</code><script>alert(1)</script>", `" onload="x`, "' onload='x", "<!--", "]]>", "&lt;b&gt;"),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        const violation = sampleViolation({ statement: text, rule: text, policy: text, episode: text, severity: text });
        const page = renderHtml(sampleReport({ run: text, curve: [], config: { [text || "key"]: text } }), {
          violations: [violation],
        });
        expect(elements(page)).toEqual(elements(harmless));
        expect(page).not.toMatch(/ onload=["']x/);
      }),
    );
  });

  it("makes characters visible that would hide or turn a statement", () => {
    const violation = sampleViolation({ statement: "SELECT 1\u202e\u0000\u200b" });
    expect(renderHtml(sampleReport(), { violations: [violation] })).toContain("SELECT 1⟨U+202E⟩⟨U+0000⟩⟨U+200B⟩");
  });

  it("lists the costliest violations first and the same statement once", () => {
    const violations = [
      sampleViolation({ statement: "cheap", penalty: 1 }),
      ...Array(3).fill(sampleViolation({ statement: "often", penalty: 40 })),
      sampleViolation({ statement: "dear", penalty: 100, severity: "critical" }),
    ];
    const page = renderHtml(sampleReport(), { violations });
    const statements = [...page.matchAll(/<code>(.*?)<\/code>/g)].map(([, statement]) => statement);
    expect(statements).toEqual(["often", "dear", "cheap"]);
    expect(page).toContain("3 costliest of 5 recorded violations");
    expect(renderHtml(sampleReport(), { violations: [] })).toContain("The kernel recorded no violation.");
  });

  it("is drawn for a run that ended before its first iteration", () => {
    const page = renderHtml(sampleReport({ status: "cancelled", curve: [], after: null, before: null }));
    expect(page).toContain("No iteration was finished.");
  });
});

describe("a report", () => {
  it("survives being written as JSON and read again", () => {
    const report = sampleReport({ after: null });
    expect(RunReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  });

  it("is refused with rates that are no fractions", () => {
    const after = { taskAccuracy: 96.8, violationRate: 0, undetectedRate: 0, episodes: 500 };
    expect(RunReport.safeParse(sampleReport({ after })).success).toBe(false);
  });
});
