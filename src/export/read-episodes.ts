import type { Phase } from "../core/episode.ts";
import { InputError, messageOf } from "../core/errors.ts";
import { type Trajectory, type TrajectoryColumns, trajectoryAt } from "../core/trajectory.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { LightningStore, StoredEpisode, StoredIteration } from "../store/lightning-store.ts";
import { conversationOf } from "./conversation.ts";
import type { ExportedEpisode } from "./exported-episode.ts";

export interface EpisodesToRead {
  readonly store: LightningStore;
  readonly run: string;
  readonly phase?: Phase | undefined;
  /** Without it, nothing has text. */
  readonly tokenizer: Tokenizer | null;
  /** Checked before every batch. */
  readonly signal?: AbortSignal | undefined;
}

/** The episodes of one batch of a run, and where among the batches it is. */
export interface ExportedBatch {
  readonly episodes: readonly ExportedEpisode[];
  readonly index: number;
  readonly count: number;
}

/** Reads a run batch by batch, in the order they were stored: no more than one is in memory. */
export async function* readEpisodes(wanted: EpisodesToRead): AsyncGenerator<ExportedBatch> {
  const { store, run, phase, signal } = wanted;
  const batches = (await store.iterations(run)).filter((batch) => phase === undefined || batch.phase === phase);
  for (const [index, batch] of batches.entries()) {
    signal?.throwIfAborted();
    const episodes = await store.episodes(run, batch.phase, batch.iteration);
    const trajectories = await store.trajectories(run, batch.phase, batch.iteration);
    yield { episodes: exported(episodes, { ...wanted, batch, trajectories }), index, count: batches.length };
  }
}

interface BatchParts extends EpisodesToRead {
  readonly batch: StoredIteration;
  readonly trajectories: TrajectoryColumns | null;
}

function exported(episodes: readonly StoredEpisode[], parts: BatchParts): readonly ExportedEpisode[] {
  const { trajectories, batch, run, tokenizer } = parts;
  return episodes.map((episode, index) => ({
    ...figuresOf(episode, run),
    ...textOf(trajectories === null ? null : trajectoryAt(trajectories, index), { episode, tokenizer }),
    stored_at: batch.storedAt,
  }));
}

function figuresOf(episode: StoredEpisode, run: string) {
  const { key, error, violations, oracle: _, stepCount, tokenCount: __, scalarReward, ...rest } = episode;
  return {
    ...{ run, episode: key.id, phase: key.phase, iteration: key.iteration, group_index: key.group },
    ...{ episode_index: key.index, task: key.task, split: key.split, seed: key.seed, weights: key.weights },
    ...{ worker: rest.worker, attempt: rest.attempt, outcome: rest.outcome },
    error: error === undefined ? null : `${error.boundary}: ${error.message}`,
    ...{ success: rest.success, reward: rest.reward, cost: rest.cost, scalar_reward: scalarReward },
    ...{ advantage: rest.advantage, steps: stepCount },
    violations: violations.map(({ step, statement, policy, rule, severity, type, description, blocked, penalty }) => ({
      ...{ step, statement, policy, rule, severity, type, description, blocked, penalty },
    })),
  };
}

type Text = Pick<ExportedEpisode, "prompt" | "messages" | "tokens" | "chosen" | "log_probabilities">;

function textOf(
  trajectory: Trajectory | null,
  { episode, tokenizer }: { readonly episode: StoredEpisode; readonly tokenizer: Tokenizer | null },
): Text {
  if (trajectory === null || trajectory.tokens.length === 0) {
    return { prompt: null, messages: null, tokens: null, chosen: null, log_probabilities: null };
  }
  const messages = tokenizer === null ? null : said(trajectory, tokenizer, episode.key.id);
  return {
    prompt: messages?.[0]?.content ?? null,
    messages,
    tokens: Array.from(trajectory.tokens),
    chosen: Array.from(trajectory.chosen, (flag) => flag === 1),
    log_probabilities: Array.from(trajectory.logProbabilities),
  };
}

function said(trajectory: Trajectory, tokenizer: Tokenizer, episode: string) {
  try {
    return conversationOf(trajectory, tokenizer);
  } catch (error) {
    throw new InputError(`the tokenizer is not that of episode ${episode}: ${messageOf(error)}`, { cause: error });
  }
}
