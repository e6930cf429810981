import type { DatabaseSync } from "node:sqlite";
import type { Split } from "../../core/env.ts";
import type { Boundary, EpisodeOutcome, EpisodeViolation, OracleFinding, Phase } from "../../core/episode.ts";
import type { Severity, ViolationType } from "../../core/syscall.ts";
import type { StoredEpisode } from "../lightning-store.ts";

/** Which episodes of a run. */
export interface EpisodesWanted {
  /** All of them where it is absent. */
  readonly phase?: Phase | undefined;
  readonly iteration?: number | undefined;
}

/** Episodes of a run in the order they were stored. */
export function readEpisodes(database: DatabaseSync, run: number, wanted: EpisodesWanted): readonly StoredEpisode[] {
  const { phase = null, iteration = null } = wanted;
  const at = [run, phase, phase, iteration, iteration];
  const violations = readViolations(database, at);
  const rows = database
    .prepare(
      `SELECT rollouts.*, phase, iteration FROM rollouts JOIN iterations ON iterations.key = rollouts.batch
       WHERE ${atBatch} ORDER BY rollouts.key`,
    )
    // The table is strict, and only this program writes it: what it holds has these types.
    .all(...at) as unknown as readonly RolloutRow[];
  return rows.map((row) => episodeOf(row, violations.get(row.key) ?? []));
}

/** The batches are few and the rollouts have an index by batch: whole runs and single batches are both read without a scan. */
const atBatch = "iterations.run = ? AND (? IS NULL OR phase = ?) AND (? IS NULL OR iteration = ?)";

interface RolloutRow {
  readonly key: number;
  readonly phase: Phase;
  readonly iteration: number;
  readonly episode: string;
  readonly task: string;
  readonly split: Split;
  readonly group_index: number;
  readonly episode_index: number;
  readonly seed: number;
  readonly weights: number;
  readonly worker: number;
  readonly attempt: number;
  readonly outcome: EpisodeOutcome;
  readonly error_boundary: Boundary | null;
  readonly error: string | null;
  readonly success: 0 | 1;
  readonly reward: number;
  readonly cost: number;
  readonly scalar_reward: number;
  readonly advantage: number | null;
  readonly steps: number;
  readonly tokens: number;
  readonly oracle: string | null;
}

function episodeOf(row: RolloutRow, violations: readonly EpisodeViolation[]): StoredEpisode {
  const { error_boundary: boundary, error: message } = row;
  return {
    key: {
      id: row.episode,
      phase: row.phase,
      iteration: row.iteration,
      group: row.group_index,
      index: row.episode_index,
      task: row.task,
      split: row.split,
      seed: row.seed,
      weights: row.weights,
    },
    outcome: row.outcome,
    ...(boundary === null || message === null ? {} : { error: { boundary, message } }),
    success: row.success === 1,
    reward: row.reward,
    cost: row.cost,
    scalarReward: row.scalar_reward,
    violations,
    oracle: row.oracle === null ? null : (JSON.parse(row.oracle) as OracleFinding[]),
    stepCount: row.steps,
    worker: row.worker,
    attempt: row.attempt,
    tokenCount: row.tokens,
    advantage: row.advantage,
  };
}

interface ViolationRow {
  readonly rollout: number;
  readonly step: number;
  readonly statement: string;
  readonly policy: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly type: ViolationType;
  readonly description: string;
  readonly blocked: 0 | 1;
  readonly penalty: number;
}

/** By the key of their rollout, in the order of the episode. */
function readViolations(
  database: DatabaseSync,
  at: readonly (number | string | null)[],
): ReadonlyMap<number, readonly EpisodeViolation[]> {
  const rows = database
    .prepare(
      `SELECT violations.* FROM violations JOIN rollouts ON rollouts.key = violations.rollout
       JOIN iterations ON iterations.key = rollouts.batch WHERE ${atBatch} ORDER BY violations.key`,
    )
    .all(...at) as unknown as readonly ViolationRow[];
  const byRollout = new Map<number, EpisodeViolation[]>();
  for (const row of rows) {
    const list = byRollout.get(row.rollout) ?? [];
    list.push(violationOf(row));
    byRollout.set(row.rollout, list);
  }
  return byRollout;
}

function violationOf(row: ViolationRow): EpisodeViolation {
  const { step, statement, policy, rule, severity, type, description, blocked, penalty } = row;
  return { step, statement, policy, rule, severity, type, description, blocked: blocked === 1, penalty };
}
