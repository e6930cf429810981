import { z } from "zod";
import { episodeOutcomes, phases } from "../../core/episode.ts";
import { severities, violationTypes } from "../../core/syscall.ts";
import { runStatuses } from "../lightning-store.ts";
import { spanStatuses } from "../span.ts";

/** The half of the store that training runs use, over HTTP: `POST /v1/faraday/<method>` with `[...arguments]` as a body. */

const count = z.int().min(0);
const finite = z
  .number()
  .or(z.nan())
  .or(z.literal([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]));
const phase = z.enum(phases);
const run = z.string();
const violation = z.looseObject({
  ...{ policy: z.string(), rule: z.string(), description: z.string(), statement: z.string() },
  ...{ severity: z.enum(severities), type: z.enum(violationTypes), blocked: z.boolean(), step: count, penalty: finite },
});
const episode = z.looseObject({
  key: z.looseObject({
    ...{ id: z.string(), task: z.string(), split: z.string(), phase },
    ...{ iteration: count, group: count, index: count, seed: finite, weights: count },
  }),
  outcome: z.enum(episodeOutcomes),
  error: z.looseObject({ boundary: z.string(), message: z.string() }).optional(),
  success: z.boolean(),
  ...{ reward: finite, cost: finite, scalarReward: finite, advantage: finite.nullable() },
  violations: z.array(violation),
  oracle: z.array(z.looseObject({ step: z.int(), description: z.string() })).nullable(),
  ...{ stepCount: count, worker: count, attempt: count, tokenCount: count },
});
const segment = z.looseObject({
  ...{ worker: count, epoch: count, first: count, count, leaf: count },
  ...{ previous: z.string(), head: z.string(), bytes: z.instanceof(Uint8Array) },
});
const batch = z.looseObject({
  ...{ run, phase, iteration: count, weights: count },
  episodes: z.array(episode),
  audit: z.looseObject({
    segments: z.array(segment),
    checkpoint: z.looseObject({ size: count, root: z.string(), note: z.string() }),
  }),
  metrics: z.record(z.string(), finite),
  recorded: z.looseObject({ attempts: count, syscalls: count, violations: count }).optional(),
  emitViolations: z.boolean(),
  trajectories: z
    .looseObject({
      ...{ offsets: z.instanceof(Uint32Array), tokens: z.instanceof(Int32Array) },
      ...{ chosen: z.instanceof(Uint8Array), logProbabilities: z.instanceof(Float32Array) },
    })
    .optional(),
});
const span = z.looseObject({
  ...{
    traceId: z.string(),
    spanId: z.string(),
    parentId: z.string().nullable(),
    name: z.string(),
    episode: z.string(),
  },
  ...{ status: z.enum(spanStatuses), worker: count, epoch: count, startSequence: count, endSequence: count },
  attributes: z.record(z.string(), z.union([z.string(), finite, z.boolean()])),
});

export const runMethods = {
  beginRun: { access: "write", args: z.tuple([z.looseObject({ id: z.string(), config: z.unknown() })]) },
  resumeRun: { access: "write", args: z.tuple([run]) },
  endRun: {
    access: "write",
    args: z.tuple([z.looseObject({ id: z.string(), status: z.enum(runStatuses), report: z.unknown().optional() })]),
  },
  storeBatch: { access: "write", args: z.tuple([batch]) },
  storeWeights: {
    access: "write",
    args: z.tuple([
      z.looseObject({
        ...{ run, name: z.string(), iteration: count, parameters: count, url: z.string() },
        sha256: z.string(),
      }),
    ]),
  },
  importSpans: { access: "write", args: z.tuple([run, z.array(span)]) },
  runs: { access: "read", args: z.tuple([]) },
  iterations: { access: "read", args: z.tuple([run]) },
  violations: { access: "read", args: z.tuple([run, count.optional()]) },
  episodes: { access: "read", args: z.tuple([run, phase.optional(), count.optional()]) },
  trajectories: { access: "read", args: z.tuple([run, phase, count]) },
  audit: { access: "read", args: z.tuple([run]) },
  checkpoints: { access: "read", args: z.tuple([run]) },
  spans: { access: "read", args: z.tuple([run, z.string().optional()]) },
  spanCount: { access: "read", args: z.tuple([run]) },
} as const satisfies Record<string, { readonly access: "read" | "write"; readonly args: z.ZodTuple }>;
export type RunMethod = keyof typeof runMethods;

/** What says that a request was sent before, maybe in vain: what it asks for may have been done already. */
export const againHeader = "faraday-again";
