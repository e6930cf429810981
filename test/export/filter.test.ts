import { describe, expect, it } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import type { ExportedEpisode } from "../../src/export/exported-episode.ts";
import { parseFilter } from "../../src/export/filter.ts";

const violation = {
  ...{ step: 0, statement: "DROP TABLE users", policy: "sql", rule: "DROP", severity: "critical", type: "BLOCKED" },
  ...{ description: "", blocked: true, penalty: 100 },
};
const episode: ExportedEpisode = {
  ...{ run: "r", episode: "train-3-0-1", phase: "train", iteration: 3, group_index: 0, episode_index: 1 },
  ...{ task: "how many users?", split: "train", seed: 1, weights: 2, worker: 1, attempt: 1, outcome: "completed" },
  ...{ error: null, success: true, reward: 0.5, cost: 100, scalar_reward: -99.5, advantage: null, steps: 2 },
  ...{ violations: [violation], prompt: null, messages: null, tokens: [1, 2, 3], chosen: null },
  ...{ log_probabilities: null, stored_at: 0 },
};

describe("a filter", () => {
  it.each([
    ["reward>0 and violations=0 and phase=train", false],
    ["reward > 0 and violations >= 1 and phase = train", true],
    ["success=true", true],
    ["not success=true", false],
    ["success=false or cost=100", true],
    // and binds closer than or
    ["success=true or success=false and reward=9", true],
    ["(success=true or success=false) and reward=9", false],
    ["not (phase=train and iteration<3)", true],
    ["scalar_reward=-99.5", true],
    ["reward<=5e-1 and reward>=.5", true],
    ["advantage=null", true],
    // what is not there is not greater and not less
    ["advantage>0 or advantage<=0", false],
    ["reward!=null", true],
    ['task="how many users?"', true],
    ["task='how many' or episode=train-3-0-1", true],
    ["tokens==3 and steps!=3", true],
  ])("%s: %s", (filter, expected) => {
    expect(parseFilter(filter)(episode)).toBe(expected);
  });

  it.each([
    ["", /character 1: expected a field, one of episode, .*got the end/],
    ["rewards>0", /character 1: expected a field, perhaps reward, got "rewards"/],
    ["reward>0 reward<1", /character 10: expected "and", "or" or the end, got "reward"/],
    ["reward", /character 7: expected one of = == != < <= > >= after reward, got the end/],
    ["reward>", /character 8: expected a number for reward, got the end/],
    ["reward>high", /character 8: expected a number for reward, got "high"/],
    ["success=1", /character 9: expected true or false for success, got "1"/],
    ["phase=training", /character 7: expected one of train, ungoverned, before, after, eval for phase, got "training"/],
    ["phase>train", /character 7: expected a number after >/],
    ["(reward>0", /character 10: expected "\)", got the end/],
    ["reward>0 and", /character 13: expected a field/],
    ["reward>0 & cost=0", /character 10: expected a field, a value or a comparison, got "&"/],
    ["task='a", /character 6: expected a field, a value or a comparison, got "'"/],
    ["constructor=1", /character 1: expected a field/],
    [`${"(".repeat(100_000)}reward>0`, /expected at most 64 parts inside of each other/],
  ])("%s is refused, with the place and what was expected", (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(InputError);
    expect(() => parseFilter(filter)).toThrow(message);
  });
});
