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
  return {
    outcome: Uint8Array.from(episodes, (episode) => episodeOutcomes.indexOf(episode.outcome)),
    success: Uint8Array.from(episodes, (episode) => (episode.success ? 1 : 0)),
    observed: Uint8Array.from(episodes, (episode) => (episode.oracle === null ? 0 : 1)),
    stepCount: Uint32Array.from(episodes, (episode) => episode.stepCount),
    reward: Float64Array.from(episodes, (episode) => episode.reward),
    cost: Float64Array.from(episodes, (episode) => episode.cost),
    scalarReward: Float64Array.from(episodes, (episode) => episode.scalarReward),
    details: episodes.flatMap(({ error, violations, oracle }, index) => {
      const findings = oracle ?? [];
      if (error === undefined && violations.length === 0 && findings.length === 0) return [];
      return [{ index, ...(error === undefined ? {} : { error }), violations, findings }];
    }),
  };
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
