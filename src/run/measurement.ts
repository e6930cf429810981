import type { EpisodeOutcome, EpisodeSummary } from "../core/episode.ts";
import { chosenCount } from "../core/trajectory.ts";
import { measureOf } from "../report/measure.ts";
import type { StoredEpisode } from "../store/lightning-store.ts";
import type { FinishedBatch } from "./dispatch.ts";

/** Figures of any batch, by the names that the report knows. */
export function batchMetrics({ episodes }: FinishedBatch): Record<string, number> {
  return figuresOf(episodes.map((episode) => episode.summary));
}

/** What {@link batchMetrics} says of these episodes. */
export function figuresOf(summaries: readonly EpisodeSummary[]): Record<string, number> {
  const { taskAccuracy, violationRate, undetectedRate } = measureOf(summaries);
  const timedOutEpisodes = countOf(summaries, "timed-out");
  return {
    accuracy: taskAccuracy,
    violationRate,
    // Where nobody looked, nothing can be said.
    ...(summaries.some(({ oracle }) => oracle !== null) ? { undetectedRate } : {}),
    meanReward: mean(summaries, (summary) => summary.reward),
    meanCost: mean(summaries, (summary) => summary.cost),
    failedEpisodes: countOf(summaries, "failed"),
    killedEpisodes: countOf(summaries, "killed"),
    quarantinedEpisodes: countOf(summaries, "quarantined"),
    // Absent as in batches that were stored when there was none of it.
    ...(timedOutEpisodes === 0 ? {} : { timedOutEpisodes }),
  };
}

/** @param advantages One an episode; absent in evaluation. */
export function storedEpisodes({ episodes }: FinishedBatch, advantages?: readonly number[]): StoredEpisode[] {
  return episodes.map(({ summary, trajectory, worker, attempt }, index) => ({
    ...summary,
    worker,
    attempt,
    tokenCount: chosenCount(trajectory),
    advantage: advantages?.[index] ?? null,
  }));
}

function countOf(episodes: readonly EpisodeSummary[], outcome: EpisodeOutcome): number {
  return episodes.filter((episode) => episode.outcome === outcome).length;
}

function mean(episodes: readonly EpisodeSummary[], of: (episode: EpisodeSummary) => number): number {
  return episodes.length === 0 ? 0 : episodes.reduce((sum, episode) => sum + of(episode), 0) / episodes.length;
}
