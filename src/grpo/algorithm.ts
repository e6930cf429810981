import { InputError } from "../core/errors.ts";
import {
  type AdvantageSettings,
  type AlgorithmOptions,
  advantageSettings,
  type LossSettings,
  lossSettings,
  type PresetName,
} from "./algorithm-options.ts";

/** All that an algorithm is. */
export interface Algorithm {
  readonly advantage: AdvantageSettings;
  readonly loss: LossSettings;
}

const grpo: Algorithm = {
  advantage: { estimator: "grpo", scale: "group", ddof: 1, epsilon: 1e-6, spreadTolerance: 1e-9 },
  loss: {
    type: "clip",
    ratio: "token",
    bounds: "offset",
    clipLow: 0.2,
    clipHigh: 0.2,
    dualClip: null,
    sapoPositive: 1,
    sapoNegative: 1.05,
    aggregation: "sequence",
    divisor: 64,
    klCoefficient: 0,
    klEstimator: "k3",
    importanceCap: null,
  },
};

/** Cap of the importance weights where rollouts are older than the update, and nothing else is said. */
const staleImportanceCap = 2;

interface Difference {
  readonly advantage?: Partial<AdvantageSettings>;
  readonly loss?: Partial<LossSettings>;
}

/** What each preset changes about `grpo`. Sources: docs/learning.md. */
const differences: Readonly<Record<PresetName, Difference>> = {
  grpo: {},
  dr_grpo: { advantage: { scale: "none" }, loss: { aggregation: "dr_grpo" } },
  dapo: { loss: { clipHigh: 0.28, aggregation: "dapo" } },
  rloo: { advantage: { estimator: "rloo" } },
  gspo: { loss: { ratio: "sequence", clipLow: 3e-4, clipHigh: 4e-4 } },
  cispo: { loss: { type: "cispo", bounds: "ratio", clipLow: 0, clipHigh: 5, aggregation: "dapo" } },
  sapo: { loss: { type: "sapo" } },
  gdpo: { advantage: { estimator: "gdpo" } },
  maxrl: { advantage: { estimator: "maxrl" } },
  "reinforce++": { advantage: { estimator: "reinforce++" }, loss: { aggregation: "dapo" } },
  "reinforce++_baseline": { advantage: { estimator: "reinforce++_baseline" }, loss: { aggregation: "dapo" } },
};

/**
 * The preset, with what the options say themselves in its place: `clipRange` first, then `advantage` and `loss`. Rollouts that may be older than the
 * update are corrected for that, unless `loss.importanceCap` is null.
 * @throws InputError where the bounds of the ratio do not hold 1 between them.
 */
export function algorithmOf(
  options: Omit<AlgorithmOptions, "accumulate"> & { readonly async?: { readonly stalenessMax: number } | undefined },
): Algorithm {
  const { algorithm, clipRange } = options;
  const stale = (options.async?.stalenessMax ?? 0) > 0 ? { importanceCap: staleImportanceCap } : {};
  const difference = differences[algorithm];
  const range = clipRange === undefined ? {} : { bounds: "offset" as const, clipLow: clipRange, clipHigh: clipRange };
  const own = { advantage: definedOf(options.advantage), loss: definedOf(options.loss) };
  const advantage = advantageSettings.parse({ ...grpo.advantage, ...difference.advantage, ...own.advantage });
  const loss = lossSettings.parse({ ...grpo.loss, ...difference.loss, ...stale, ...range, ...own.loss });
  if (loss.bounds === "ratio" && loss.clipHigh < 1) {
    throw new InputError(
      `train.loss.clipHigh must be at least 1 where train.loss.bounds is ratio, got ${loss.clipHigh}`,
    );
  }
  return { advantage, loss };
}

/** Without the keys that were given and left undefined, which would else hide what the preset says. */
function definedOf(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
