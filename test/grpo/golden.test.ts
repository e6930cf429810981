import { describe, expect, test } from "vitest";
import { combinedAdvantages } from "../../src/grpo/advantages.ts";
import { algorithmOf } from "../../src/grpo/algorithm.ts";
import type { AdvantageSettings, LossSettings, PresetName } from "../../src/grpo/algorithm-options.ts";
import { divergence } from "../../src/grpo/divergence.ts";
import { policyLoss, tokenWeight } from "../../src/grpo/policy-loss.ts";
import golden from "../fixtures/grpo-golden.json" with { type: "json" };

/** Numbers of verl, TRL and SkyRL, whose code made the file: see its `meta`. */
const trlEpsilon = 1e-4;
const advantageOf: Readonly<Record<string, Partial<AdvantageSettings>>> = {
  "verl_grpo_norm=True": {},
  "verl_grpo_norm=False": { scale: "none" },
  verl_rloo: { estimator: "rloo" },
  "verl_reinforce++_baseline": { estimator: "reinforce++_baseline" },
  "verl_reinforce++(gamma=1)": { estimator: "reinforce++" },
  skyrl_grpo: {},
  skyrl_rloo: { estimator: "rloo" },
  skyrl_maxrl: { estimator: "maxrl" },
  verl_grpo_passk: { estimator: "pass@k" },
  "trl_grpo_scale=group": { epsilon: trlEpsilon },
  "trl_grpo_scale=none": { scale: "none" },
  "trl_grpo_scale=batch": { scale: "batch", epsilon: trlEpsilon },
  "art_scale=True(population std, eps 1e-6; transcribed)": { ddof: 0 },
  "prime_rl/tinker_cookbook(r-mean; transcribed)": { scale: "none" },
};

/** Where we mean something else, and why. */
function isOurOwn(name: string, variant: string): boolean {
  // One episode compares with nothing: 0. verl and SkyRL hand the reward itself on.
  if (name === "singleton") return true;
  // Without spread all is 0; verl's whitening leaves 4e-6 from its epsilons.
  if (name === "zero_variance" && variant === "verl_reinforce++(gamma=1)") return true;
  // With a negative mean SkyRL's maxrl turns the signs round: the worst episode gets +2.7.
  return name === "penalised4" && variant === "skyrl_maxrl";
}

const single = golden.advantages.filter((entry) => entry.rewards !== undefined);
const variants = single.flatMap((entry) =>
  Object.entries(entry).flatMap(([variant, expected]) =>
    variant in advantageOf && Array.isArray(expected)
      ? [{ name: entry.case, variant, rewards: entry.rewards as number[], expected: expected as number[] }]
      : [],
  ),
);

function advantagesFor(groups: readonly (readonly number[])[], change: Partial<AdvantageSettings>): number[] {
  // verl's whitening counts tokens, and the file's episodes have two each.
  const tokens = groups.map((group) => group.map(() => 2));
  const { advantage } = algorithmOf({ algorithm: "grpo", advantage: change, loss: {} });
  return combinedAdvantages([{ weight: 1, values: groups }], { tokens, advantage }).flat();
}

describe("advantages", () => {
  test("the file's variants are all known", () => {
    const names = new Set(single.flatMap((entry) => Object.keys(entry)));
    expect([...names].filter((name) => !(name in advantageOf)).sort()).toEqual([
      "case",
      "rewards",
      "trl_frac_zero_std",
    ]);
    expect(variants.length).toBe(8 * 14 - 1);
  });

  test.each(variants)("$variant on $name", ({ name, variant, rewards, expected }) => {
    const found = advantagesFor([rewards], advantageOf[variant] as Partial<AdvantageSettings>);
    if (isOurOwn(name, variant)) expect(found).toEqual(rewards.map(() => 0));
    else near(found, expected, 1e-9);
  });

  const many = golden.advantages.filter((entry) => entry.rewards_per_func !== undefined);
  test.each(many)("$case", (entry) => {
    const size = entry.num_generations as number;
    const rewards = entry.rewards_per_func as (number | null)[][];
    const weights = entry.weights as number[];
    const scale = entry.case.split("_").at(-1) as "group" | "batch" | "none";
    const isByChannel = entry.case.includes("normalize_then_sum");
    const channels = isByChannel
      ? weights.map((weight, channel) => ({
          weight,
          values: inGroups(
            rewards.map((row) => row[channel] ?? NaN),
            size,
          ),
        }))
      : [
          {
            weight: 1,
            values: inGroups(
              rewards.map((row) => weightedSum(row, weights)),
              size,
            ),
          },
        ];
    const { advantage } = algorithmOf({
      algorithm: isByChannel ? "gdpo" : "grpo",
      advantage: { scale, epsilon: scale === "none" ? 0 : trlEpsilon },
      loss: {},
    });
    const tokens = inGroups(
      rewards.map(() => 1),
      size,
    );
    near(combinedAdvantages(channels, { tokens, advantage }).flat(), entry.trl as number[], 1e-9);
  });
});

const inputs = golden.loss_inputs;
const episodes = inputs.adv.map((advantage, row) => {
  const positions = (inputs.mask[row] as number[]).flatMap((flag, position) => (flag === 1 ? [position] : []));
  const chosen = (values: readonly number[][]) => positions.map((position) => values[row]?.[position] as number);
  return {
    advantage,
    positions,
    values: Float64Array.from(chosen(inputs.logp)),
    oldLogProbabilities: chosen(inputs.old_logp),
    referenceLogProbabilities: chosen(inputs.ref_logp),
  };
});

type LossCase = (typeof golden.losses)[number];
interface Ours {
  readonly algorithm?: PresetName;
  readonly loss?: Partial<LossSettings>;
}

const trlAggregation: Readonly<Record<string, LossSettings["aggregation"]>> = {
  ...{ grpo: "sequence", bnpo: "token", dr_grpo: "dr_grpo", dapo: "dapo", cispo: "dapo", sapo: "sequence" },
};

/** The options of ours that say what the case does; `null` where we have no such loss. */
function oursOf(entry: LossCase): Ours | null {
  return entry.impl === "trl" ? oursOfTrl(entry) : oursOfVerl(entry);
}

function oursOfTrl({ args, max_completion_length }: LossCase): Ours | null {
  const { loss_type: type, eps, eps_h, delta, beta, level } = args as Record<string, never> & { loss_type: string };
  // LUSPO is GSPO whose episodes weigh by their length: a sum over tokens by a constant 1.
  if (type === "luspo")
    return { algorithm: "gspo", loss: { clipLow: 0.2, clipHigh: 0.2, aggregation: "dr_grpo", divisor: 1 } };
  const aggregation = trlAggregation[type];
  if (aggregation === undefined) return null;
  return {
    ...(type === "cispo" || type === "sapo" ? { algorithm: type } : {}),
    loss: {
      aggregation,
      ...(type === "dr_grpo" ? { divisor: max_completion_length as number } : {}),
      ...(eps === undefined ? {} : { clipLow: eps, clipHigh: eps }),
      ...(eps_h === undefined ? {} : { clipHigh: eps_h }),
      ...(delta === undefined ? {} : { dualClip: delta }),
      ...(beta === undefined ? {} : { klCoefficient: beta }),
      ...(level === undefined ? {} : { ratio: level }),
    },
  };
}

function oursOfVerl({ policy_loss, loss_agg_mode, clip_low, clip_high, clip_ratio_c }: LossCase): Ours | null {
  const aggregation: Readonly<Record<string, Partial<LossSettings>>> = {
    "token-mean": { aggregation: "dapo" },
    "seq-mean-token-mean": { aggregation: "sequence" },
    "seq-mean-token-sum": { aggregation: "dr_grpo", divisor: 1 },
    "seq-mean-token-sum-norm": { aggregation: "dr_grpo", divisor: inputs.logp[0]?.length as number },
    "token-sum": { aggregation: "dr_grpo", divisor: 1 / episodes.length },
  };
  const types: Readonly<Record<string, Partial<LossSettings>>> = {
    vanilla: { dualClip: clip_ratio_c as number },
    gspo: { ratio: "sequence" },
    cispo: { type: "cispo" },
    sapo: { type: "sapo" },
  };
  const type = types[policy_loss as string];
  if (type === undefined) return null;
  return {
    loss: {
      clipLow: clip_low as number,
      clipHigh: clip_high as number,
      ...aggregation[loss_agg_mode as string],
      ...type,
    },
  };
}

/** Loss and gradient of the file's batch as one step of one minibatch. */
function lossUnder(settings: LossSettings) {
  const tokens = episodes.reduce((sum, { values }) => sum + values.length, 0);
  const size = { minibatchTokens: tokens, stepTokens: tokens, stepMinibatches: 1, stepEpisodes: episodes.length };
  const gradients = inputs.logp.map((row) => row.map(() => 0));
  let loss = 0;
  episodes.forEach(({ values, positions, referenceLogProbabilities, ...sampled }, row) => {
    const derivative = new Float64Array(values.length);
    const weight = tokenWeight({ ...size, tokens: values.length }, settings);
    const reference = settings.klCoefficient > 0 ? { referenceLogProbabilities } : {};
    loss += policyLoss(values, { ...sampled, ...reference }, { settings, weight, derivative }).loss;
    positions.forEach((position, index) => {
      (gradients[row] as number[])[position] = derivative[index] as number;
    });
  });
  return { loss, gradients };
}

describe("losses", () => {
  const nameOf = ({ impl, policy_loss, loss_agg_mode, clip_high, args }: LossCase) =>
    impl === "trl" ? `trl ${JSON.stringify(args)}` : `verl ${policy_loss} ${loss_agg_mode} ${clip_high}`;
  const known = golden.losses.map((entry) => ({ name: nameOf(entry), entry, ours: oursOf(entry) }));

  test("the file's losses are all ours, but for these", () => {
    const missing = known.flatMap(({ entry, ours }) =>
      ours === null ? [entry.policy_loss ?? entry.args?.loss_type] : [],
    );
    expect(missing).toEqual(["vespo", "dppo_tv", "dppo_kl", "gpg", "geo_mean", "dro"]);
  });

  test.each(known.filter(({ ours }) => ours !== null))("$name", ({ entry, ours }) => {
    const { loss: settings } = algorithmOf({
      algorithm: ours?.algorithm ?? "grpo",
      advantage: {},
      loss: ours?.loss ?? {},
    });
    const { loss, gradients } = lossUnder(settings);
    expect(Math.abs(loss - entry.loss)).toBeLessThan(1e-6);
    near(gradients.flat(), entry.grad_logp.flat(), 1e-6);
  });
});

describe("divergence from the reference", () => {
  const ours = { kl: "k1", k1: "k1", mse: "k2", k2: "k2", low_var_kl: "k3", k3: "k3", "k3+": "k3" } as const;
  test.each(golden.kl.filter(({ type }) => type in ours))("verl $type", ({ type, value }) => {
    const estimator = ours[type as keyof typeof ours];
    const found = inputs.logp.flatMap((row, place) =>
      row.map((own, index) => divergence(own - (inputs.ref_logp[place]?.[index] as number), estimator).value),
    );
    near(found, value.flat(), 1e-9);
  });
});

function near(found: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, index) => {
    expect(Math.abs(value - (expected[index] as number)), `number ${index}`).toBeLessThan(tolerance);
  });
}

function inGroups<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: items.length / size }, (_, group) => items.slice(group * size, (group + 1) * size));
}

/** What TRL sums: the rewards that there are; a row without any has none. */
function weightedSum(row: readonly (number | null)[], weights: readonly number[]): number {
  if (row.every((value) => value === null)) return Number.NaN;
  return row.reduce<number>((sum, value, index) => sum + (value ?? 0) * (weights[index] as number), 0);
}
