import { randomUUID } from "node:crypto";
import type { ResolvedConfig } from "../config/config-schema.ts";
import type { Split } from "../core/env.ts";
import { type Measure, measureOf } from "../report/measure.ts";
import { type PassAt, passAtEach } from "../report/pass-at.ts";
import { openTelemetry } from "../telemetry/open.ts";
import type { RunEvent } from "./events.ts";
import { loadEnvironment } from "./load-environment.ts";
import { storedEpisodes } from "./measurement.ts";
import { Planner } from "./plan.ts";
import { openPolicyModel } from "./policy-model.ts";
import { RolloutPool } from "./rollout-pool.ts";
import { tryKernel } from "./try-kernel.ts";

export interface Evaluation {
  readonly measure: Measure;
  /** pass@1 to pass@samples. */
  readonly passAt: readonly PassAt[];
}

export interface EvaluateOptions {
  /** `model.checkpoint` names the weights that are measured, unless an `agent` acts. */
  readonly config: ResolvedConfig;
  readonly split: Split;
  /** `train.evalEpisodes` where it is absent. */
  readonly episodes?: number;
  /** Tries of each task, 1 where it is absent; there are as many episodes as make whole tasks. */
  readonly samples?: number;
  /** Whether the kernel governs; without it, the oracle alone watches. */
  readonly kernel: boolean;
  readonly events?: (event: RunEvent) => void;
}

/**
 * Measures a policy, or the config's agent, without training it; nothing is stored, but told to the OpenTelemetry endpoint that the environment
 * names. The same seed draws the same tasks and chances as a training run's own
 * measurements.
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { config, split, episodes, samples = 1, kernel, events } = options;
  const environment = await loadEnvironment(config);
  const checkpoint = config.agent === undefined ? openPolicyModel(config, environment) : null;
  const plan = new Planner(environment.tasks, config.train).evaluation("eval", {
    split,
    episodes: episodes ?? config.train.evalEpisodes,
    weights: 0,
    governed: kernel,
    samples,
  });
  await tryKernel(config, environment);
  // Each has an id of its own: the same episodes measured again are other traces.
  const names = { run: `eval-${randomUUID()}`, workflow: "faraday.eval" };
  const warn = (message: string) => events?.({ type: "telemetry-warning", message });
  await using telemetry = await openTelemetry(names, { warn });
  await using pool = new RolloutPool(config, checkpoint, (event) => events?.(event), { timed: telemetry !== null });
  const startMs = Date.now();
  const batch = await pool.run(plan);
  const summaries = batch.episodes.map((episode) => episode.summary);
  telemetry?.batch({
    ...{ phase: plan.phase, iteration: plan.iteration, episodes: storedEpisodes(batch), segments: batch.audit },
    ...{ startMs, endMs: Date.now() },
  });
  await telemetry?.end("succeeded");
  return { measure: measureOf(summaries), passAt: passAtEach(summaries, samples) };
}
