import type { EpisodeViolation, OracleFinding, Phase } from "../../../core/episode.ts";
import { FaradayError } from "../../../core/errors.ts";
import type { StoredEpisode, StoredViolation } from "../../lightning-store.ts";
import { insertForKeys, insertRows, type Operation, rowsOnce } from "../operation.ts";
import type { Value } from "../statement.ts";
import type { EpisodeRow, ViolationRow } from "../tables.ts";

const episodeColumns = [
  ...[
    "run",
    "batch",
    "episode",
    "task",
    "split",
    "group_index",
    "episode_index",
    "seed",
    "weights",
    "worker",
    "attempt",
  ],
  ...[
    "outcome",
    "error_boundary",
    "error",
    "success",
    "reward",
    "cost",
    "scalar_reward",
    "advantage",
    "steps",
    "tokens",
  ],
  "oracle",
];
const violationColumns = [
  ...["rollout", "step", "statement", "policy", "rule", "severity", "type", "description", "blocked", "penalty"],
];

export function* writeEpisodes(
  keys: { readonly run: number; readonly batch: number },
  { episodes }: { readonly episodes: readonly StoredEpisode[] },
): Operation<void> {
  const stored = yield* insertForKeys({
    table: "rollouts",
    columns: episodeColumns,
    rows: episodes.map((episode) => [keys.run, keys.batch, ...episodeValues(episode)]),
    unless: ["run", "episode"],
  });
  const violations: Value[][] = [];
  for (const [index, { key, violations: own }] of episodes.entries()) {
    const rollout = stored[index] ?? null;
    if (rollout === null) throw new FaradayError(`episode ${key.id} is already in the store`);
    for (const violation of own) violations.push([rollout, ...violationValues(violation)]);
  }
  yield* insertRows({ table: "violations", columns: violationColumns, rows: violations });
}

function episodeValues(episode: StoredEpisode): readonly Value[] {
  const { key, oracle, error } = episode;
  return [
    ...[key.id, key.task, key.split, key.group, key.index, key.seed, key.weights, episode.worker, episode.attempt],
    ...[episode.outcome, error?.boundary ?? null, error?.message ?? null, Number(episode.success), episode.reward],
    ...[episode.cost, episode.scalarReward, episode.advantage, episode.stepCount, episode.tokenCount],
    oracle === null ? null : JSON.stringify(oracle),
  ];
}

function violationValues(violation: EpisodeViolation): readonly Value[] {
  const { step, statement, policy, rule, severity, type, description, blocked, penalty } = violation;
  return [step, statement, policy, rule, severity, type, description, Number(blocked), penalty];
}

/** Which episodes of a run; all of them where nothing is named. */
export interface EpisodesWanted {
  readonly phase?: Phase | undefined;
  readonly iteration?: number | undefined;
}

/** Episodes of a run in the order they were stored. */
export function* readEpisodes(run: number, wanted: EpisodesWanted): Operation<readonly StoredEpisode[]> {
  const violations = yield* violationsByEpisode(run, wanted);
  // The batches are few and the episodes have an index by batch: whole runs and single batches are both read without a scan.
  const rows = yield* rowsOnce(({ db }) => {
    const query = db
      .selectFrom("rollouts")
      .innerJoin("iterations", "iterations.key", "rollouts.batch")
      .selectAll("rollouts")
      .select(["phase", "iteration"])
      .where("iterations.run", "=", run)
      .orderBy("rollouts.key");
    const { phase, iteration } = wanted;
    const ofPhase = phase === undefined ? query : query.where("phase", "=", phase);
    return iteration === undefined ? ofPhase : ofPhase.where("iteration", "=", iteration);
  });
  return rows.map((row) => episodeOf(row, violations.get(row.key) ?? []));
}

function episodeOf(
  row: EpisodeRow & { readonly phase: Phase; readonly iteration: number },
  violations: readonly EpisodeViolation[],
): StoredEpisode {
  const { error_boundary: boundary, error: message, phase, iteration, task, split, seed, weights } = row;
  return {
    key: {
      ...{ id: row.episode, phase, iteration, group: row.group_index, index: row.episode_index },
      ...{ task, split, seed, weights },
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

/** By the key of their episode, in the order of its steps. */
function* violationsByEpisode(
  run: number,
  { phase, iteration }: EpisodesWanted,
): Operation<ReadonlyMap<number, readonly EpisodeViolation[]>> {
  const rows = yield* rowsOnce(({ db }) => {
    const query = db
      .selectFrom("violations")
      .innerJoin("rollouts", "rollouts.key", "violations.rollout")
      .innerJoin("iterations", "iterations.key", "rollouts.batch")
      .selectAll("violations")
      .where("iterations.run", "=", run)
      .orderBy("violations.key");
    const ofPhase = phase === undefined ? query : query.where("phase", "=", phase);
    return iteration === undefined ? ofPhase : ofPhase.where("iteration", "=", iteration);
  });
  return new Map(
    [...Map.groupBy(rows, ({ rollout }) => rollout)].map(([rollout, own]) => [rollout, own.map(violationOf)]),
  );
}

function violationOf(row: ViolationRow): EpisodeViolation {
  const { step, statement, policy, rule, severity, type, description, blocked, penalty } = row;
  return { step, statement, policy, rule, severity, type, description, blocked: blocked === 1, penalty };
}

/** In the order they were stored; the first of them where a limit is given. */
export function* readViolations(run: number, limit: number | undefined): Operation<readonly StoredViolation[]> {
  const rows = yield* rowsOnce(({ db }) => {
    const query = db
      .selectFrom("violations")
      .innerJoin("rollouts", "rollouts.key", "violations.rollout")
      .innerJoin("iterations", "iterations.key", "rollouts.batch")
      .select(["episode", "task", "phase", "iteration", "rollouts.weights", "step", "statement", "policy", "rule"])
      .select(["severity", "type", "blocked", "penalty"])
      .where("rollouts.run", "=", run)
      .orderBy("violations.key");
    return limit === undefined ? query : query.limit(limit);
  });
  return rows.map((row) => ({ ...row, blocked: row.blocked === 1 }));
}
