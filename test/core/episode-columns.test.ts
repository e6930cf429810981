import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  boundaries,
  type EpisodeKey,
  type EpisodeSummary,
  type EpisodeViolation,
  episodeOutcomes,
} from "../../src/core/episode.ts";
import { packEpisodes, unpackEpisodes } from "../../src/core/episode-columns.ts";
import { severities, violationTypes } from "../../src/core/syscall.ts";

const key: fc.Arbitrary<EpisodeKey> = fc.record({
  id: fc.string(),
  phase: fc.constant("train"),
  iteration: fc.nat(),
  group: fc.nat(),
  index: fc.nat(),
  task: fc.string(),
  split: fc.constant("train"),
  seed: fc.integer({ min: 0, max: 0xffff_ffff }),
  weights: fc.nat(),
});

const violation: fc.Arbitrary<EpisodeViolation> = fc.record({
  policy: fc.string(),
  rule: fc.string(),
  severity: fc.constantFrom(...severities),
  type: fc.constantFrom(...violationTypes),
  description: fc.string(),
  blocked: fc.boolean(),
  step: fc.nat(),
  statement: fc.string({ unit: "grapheme" }),
  penalty: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
});

const amount = fc.double({ noNaN: true, noDefaultInfinity: true });

const summary: fc.Arbitrary<EpisodeSummary> = fc.record(
  {
    key,
    outcome: fc.constantFrom(...episodeOutcomes),
    error: fc.record({ boundary: fc.constantFrom(...boundaries), message: fc.string() }),
    success: fc.boolean(),
    reward: amount,
    cost: amount,
    scalarReward: amount,
    violations: fc.array(violation, { maxLength: 3 }),
    oracle: fc.option(
      fc.array(fc.record({ step: fc.integer({ min: -1 }), description: fc.string() }), { maxLength: 2 }),
    ),
    stepCount: fc.nat(),
  },
  {
    requiredKeys: ["key", "outcome", "success", "reward", "cost", "scalarReward", "violations", "oracle", "stepCount"],
  },
);

describe("episodes as columns", () => {
  test("come back as they were, even from another thread", () => {
    fc.assert(
      fc.property(fc.array(summary, { maxLength: 8 }), (episodes) => {
        const columns = structuredClone(packEpisodes(episodes));
        const keys = episodes.map((episode) => episode.key);
        expect(unpackEpisodes(columns, keys)).toEqual(episodes);
      }),
    );
  });

  test("of another number of episodes, or with an outcome that is none, are refused", () => {
    fc.assert(
      fc.property(fc.array(summary, { minLength: 1, maxLength: 4 }), (episodes) => {
        const columns = packEpisodes(episodes);
        const keys = episodes.map((episode) => episode.key);
        expect(() => unpackEpisodes(columns, keys.slice(1))).toThrow(RangeError);
        columns.outcome[0] = episodeOutcomes.length;
        expect(() => unpackEpisodes(columns, keys)).toThrow(`no episode outcome ${episodeOutcomes.length}`);
      }),
    );
  });
});
