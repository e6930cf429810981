import { sql } from "kysely";
import type { Split } from "../../../core/env.ts";
import type { EpisodeOutcome, Phase } from "../../../core/episode.ts";
import { type Attempt, type AttemptedRollout, defaultRolloutConfig, type RolloutStatus } from "../../rollout-record.ts";
import type { RolloutSpan } from "../../rollout-span.ts";
import type { Span } from "../../span.ts";
import { type Operation, rowsOnce } from "../operation.ts";
import { weightsOfRollout } from "../schema.ts";
import { readSpans } from "../training/span-rows.ts";
import { episodeIds } from "./ids.ts";

// Episodes of training runs as rollouts, to read: ended, each with the one attempt that counts. Their ids derive from their keys. Flight
// recorders have no clock, so that they begin and end when their batch was stored.

interface EpisodeOfRun {
  readonly key: number;
  readonly run: string;
  readonly run_key: number;
  readonly phase: Phase;
  readonly iteration: number;
  readonly stored_at: number;
  readonly episode: string;
  readonly task: string;
  readonly split: Split;
  readonly seed: number;
  readonly weights: number;
  readonly worker: number;
  readonly outcome: EpisodeOutcome;
  readonly success: number;
  readonly reward: number;
  readonly cost: number;
  readonly scalar_reward: number;
  readonly advantage: number | null;
  readonly resources_id: string | null;
}

/** In no particular order. */
export function* episodeRollouts(keys: readonly number[]): Operation<readonly AttemptedRollout[]> {
  return (yield* episodesOf(keys)).map(rolloutOf);
}

export function* episodeAttempt(key: number): Operation<Attempt | null> {
  const [rollout] = yield* episodeRollouts([key]);
  return rollout?.attempt ?? null;
}

/** The spans that its records give, as spans of its attempt. */
export function* episodeSpans(key: number): Operation<readonly RolloutSpan[]> {
  const [row] = yield* episodesOf([key]);
  if (row === undefined) return [];
  const spans = yield* readSpans({ id: row.run, key: row.run_key }, row.episode);
  const { rollout_id, attempt_id } = episodeIds(key);
  return spans.map((span, index) =>
    rolloutSpanOf(span, { rollout_id, attempt_id, sequence_id: index + 1, at: row.stored_at / 1000 }),
  );
}

function* episodesOf(keys: readonly number[]): Operation<readonly EpisodeOfRun[]> {
  if (keys.length === 0) return [];
  return yield* rowsOnce<EpisodeOfRun>(({ db }) => {
    const rows = sql<EpisodeOfRun>`SELECT rollouts.*, runs.id AS run, runs.key AS run_key, phase, iteration, stored_at,
      ${sql.raw(weightsOfRollout)} AS resources_id
      FROM rollouts JOIN iterations ON iterations.key = rollouts.batch JOIN runs ON runs.key = rollouts.run
      WHERE rollouts.key IN (${sql.join([...keys])})`;
    return { compile: () => rows.compile(db) };
  });
}

/** As in the view `lightning_rollouts`. */
const statuses: Readonly<Record<EpisodeOutcome, RolloutStatus & ("succeeded" | "failed" | "cancelled")>> = {
  completed: "succeeded",
  cancelled: "cancelled",
  killed: "cancelled",
  stopped: "failed",
  failed: "failed",
  quarantined: "failed",
  "timed-out": "failed",
};

function rolloutOf(row: EpisodeOfRun): AttemptedRollout {
  const { run, phase, iteration, episode, task, split, seed, weights, outcome, reward, cost, advantage } = row;
  const { rollout_id, attempt_id } = episodeIds(row.key);
  const at = row.stored_at / 1000;
  const status = statuses[outcome];
  return {
    ...{
      rollout_id,
      input: { task, split, seed },
      start_time: at,
      end_time: at,
      mode: split,
      resources_id: row.resources_id,
      status,
    },
    config: defaultRolloutConfig,
    metadata: {
      ...{ run, episode, phase, iteration, weights, outcome, success: row.success === 1, reward, cost },
      ...{ scalar_reward: row.scalar_reward, advantage },
    },
    attempt: {
      ...{ rollout_id, attempt_id, sequence_id: 1, start_time: at, end_time: at, last_heartbeat_time: at },
      ...{ status: status === "succeeded" ? "succeeded" : "failed", worker_id: `worker-${row.worker}`, metadata: null },
    },
  };
}

function rolloutSpanOf(
  { traceId, spanId, parentId, name, status, attributes, startSequence, endSequence }: Span,
  at: { readonly rollout_id: string; readonly attempt_id: string; readonly sequence_id: number; readonly at: number },
): RolloutSpan {
  const { rollout_id, attempt_id, sequence_id, at: time } = at;
  return {
    ...{ rollout_id, attempt_id, sequence_id, trace_id: traceId, span_id: spanId, parent_id: parentId, name },
    ...{ status: { status_code: status, description: null }, events: [], links: [], start_time: time, end_time: time },
    attributes: { ...attributes, "agent_os.start_sequence": startSequence, "agent_os.end_sequence": endSequence },
    ...{ context: null, parent: null, resource: { attributes: { "service.name": "faraday" }, schema_url: "" } },
  };
}
