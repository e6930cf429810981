import {
  type EpisodeError,
  type EpisodeKey,
  type EpisodeSummary,
  type EpisodeViolation,
  episodeOutcomes,
  type OracleFinding,
} from "./episode.ts";

/**
 * Finished episodes as columns, to cross threads without a copy of their numbers. Their keys stay behind: whoever planned the episodes
 * has them, in the same order.
 */
export interface EpisodeColumns {
  /** Index into `episodeOutcomes`. */
  readonly outcome: Uint8Array;
  readonly success: Uint8Array;
  /** 1 where the oracle looked. */
  readonly observed: Uint8Array;
  readonly stepCount: Uint32Array;
  readonly reward: Float64Array;
  readonly cost: Float64Array;
  readonly scalarReward: Float64Array;
  /** What only some episodes have, by index. */
  readonly details: readonly EpisodeDetails[];
}

interface EpisodeDetails {
  readonly index: number;
  readonly error?: EpisodeError;
  readonly violations: readonly EpisodeViolation[];
  readonly findings: readonly OracleFinding[];
}

export function packEpisodes(episodes: readonly EpisodeSummary[]): EpisodeColumns {
  const { length } = episodes;
  const details: EpisodeDetails[] = [];
  const columns = {
    ...{ outcome: new Uint8Array(length), success: new Uint8Array(length), observed: new Uint8Array(length) },
    ...{ stepCount: new Uint32Array(length), reward: new Float64Array(length), cost: new Float64Array(length) },
    ...{ scalarReward: new Float64Array(length), details },
  };
  for (const [index, episode] of episodes.entries()) {
    const { error, violations, oracle } = episode;
    columns.outcome[index] = episodeOutcomes.indexOf(episode.outcome);
    columns.success[index] = episode.success ? 1 : 0;
    columns.observed[index] = oracle === null ? 0 : 1;
    columns.stepCount[index] = episode.stepCount;
    columns.reward[index] = episode.reward;
    columns.cost[index] = episode.cost;
    columns.scalarReward[index] = episode.scalarReward;
    const findings = oracle ?? [];
    if (error !== undefined || violations.length > 0 || findings.length > 0)
      details.push({ index, ...(error === undefined ? {} : { error }), violations, findings });
  }
  return columns;
}

/** @param keys Keys of the episodes, in the order that they were packed. */
export function unpackEpisodes(columns: EpisodeColumns, keys: readonly EpisodeKey[]): EpisodeSummary[] {
  if (columns.outcome.length !== keys.length) {
    throw new RangeError(`expected columns of ${keys.length} episodes, got ${columns.outcome.length}`);
  }
  const details = new Map(columns.details.map((detail) => [detail.index, detail]));
  return keys.map((key, index) => {
    const detail = details.get(index);
    const outcome = episodeOutcomes[columns.outcome[index] as number];
    if (outcome === undefined) throw new RangeError(`no episode outcome ${columns.outcome[index]}`);
    return {
      key,
      outcome,
      ...(detail?.error === undefined ? {} : { error: detail.error }),
      success: columns.success[index] === 1,
      reward: columns.reward[index] as number,
      cost: columns.cost[index] as number,
      scalarReward: columns.scalarReward[index] as number,
      violations: detail?.violations ?? [],
      oracle: columns.observed[index] === 1 ? (detail?.findings ?? []) : null,
      stepCount: columns.stepCount[index] as number,
    };
  });
}
