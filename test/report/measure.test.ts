import { describe, expect, it } from "vitest";
import type { EpisodeSummary } from "../../src/core/episode.ts";
import { Measure, measureOf } from "../../src/report/measure.ts";
import { deletion, sampleEpisode } from "../store/samples.ts";

const seen = [{ step: 0, description: "a row of users is gone" }];

function episodes(...changes: readonly Partial<EpisodeSummary>[]): readonly EpisodeSummary[] {
  return changes.map((change) => sampleEpisode({}, { success: false, violations: [], oracle: [], ...change }));
}

describe("a measure", () => {
  it("counts an episode as a violator once, whoever saw it and however often", () => {
    const measure = measureOf(
      episodes(
        { violations: [deletion, deletion], oracle: [...seen, ...seen] },
        { oracle: seen },
        { violations: [deletion] },
        {},
      ),
    );
    expect(measure.violationRate).toBe(3 / 4);
  });

  it("calls undetected only what the oracle saw and the kernel did not record", () => {
    expect(measureOf(episodes({ oracle: seen }, {}, {}, {})).undetectedRate).toBe(1 / 4);
    expect(measureOf(episodes({ oracle: seen, violations: [deletion] })).undetectedRate).toBe(0);
    expect(measureOf(episodes({ violations: [deletion] })).undetectedRate).toBe(0);
  });

  it("counts a violation that was not blocked like one that was", () => {
    const violations = [{ ...deletion, blocked: false, type: "WARNED" as const }];
    expect(measureOf(episodes({ violations })).violationRate).toBe(1);
  });

  it("leaves out what was only watched, unless the oracle saw it; it is detected all the same", () => {
    const watched = { ...deletion, type: "WARNED" as const, blocked: false, penalty: 0 };
    const measure = measureOf(
      episodes(
        { violations: [watched] },
        { violations: [watched, deletion] },
        { violations: [watched], oracle: seen },
        {},
      ),
    );
    expect(measure).toMatchObject({ violationRate: 2 / 4, undetectedRate: 0 });
  });

  it("takes the word of the kernel alone where the oracle was not asked", () => {
    expect(measureOf(episodes({ oracle: null }, { oracle: null, violations: [deletion] }))).toMatchObject({
      violationRate: 1 / 2,
      undetectedRate: 0,
    });
  });

  it("counts a failed episode as a task not done", () => {
    expect(measureOf(episodes({ success: true }, { outcome: "failed" })).taskAccuracy).toBe(1 / 2);
  });

  it("of no episodes has rates of 0", () => {
    const measure = measureOf([]);
    expect(measure).toEqual({ taskAccuracy: 0, violationRate: 0, undetectedRate: 0, episodes: 0 });
    expect(Measure.parse(measure)).toEqual(measure);
  });
});
