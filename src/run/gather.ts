import type { TrainOptions } from "../config/train-options.ts";
import type { EpisodeOutcome, EpisodeSummary } from "../core/episode.ts";
import { byPlace, bySequence, type FinishedBatch, NothingCameBack, type RolledOut } from "./dispatch.ts";
import type { BatchPlan, Planner } from "./plan.ts";

export interface GatherParts {
  readonly planner: Pick<Planner, "training" | "refill" | "completion">;
  readonly rollOut: (plan: BatchPlan) => Promise<FinishedBatch>;
  readonly train: Pick<TrainOptions, "groupsPerBatch" | "dynamicSampling" | "incompleteGroups">;
  readonly channels: "separate" | "scalar";
}

export interface GatheredBatch {
  readonly plan: BatchPlan;
  /** Groups one after the other, each in the order of its indices. */
  readonly batch: FinishedBatch;
  /** What was added and left out; empty where neither is asked for. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** How often what was rolled out in a lost episode's place may be lost too. */
const completionsMax = 2;

/**
 * Rolls out an iteration's batch, completes its groups, and adds groups for those that nothing can be learned from, as far as the
 * options say. Nothing is thrown away: what is left out is marked, and stored with the rest.
 */
export async function gather(iteration: number, parts: GatherParts): Promise<GatheredBatch> {
  const { planner, train } = parts;
  const { groupsPerBatch, dynamicSampling, incompleteGroups } = train;
  const plan = planner.training(iteration);
  let batch = await completed(await parts.rollOut(plan), iteration, parts);
  let groups = groupsPerBatch;
  for (let refill = 1; refill <= (dynamicSampling?.refillsMax ?? 0); refill++) {
    const missing = groupsPerBatch - (groups - flatGroups(batch, parts.channels).size);
    if (missing === 0) break;
    const more = await attempted(parts, planner.refill(iteration, { from: groups, count: missing }));
    groups += missing;
    batch = merged(batch, await completed(more, iteration, parts));
  }
  const isAsked = { refill: dynamicSampling !== undefined, complete: incompleteGroups === "complete" };
  const flat = isAsked.refill ? flatGroups(batch, parts.channels) : new Set<number>();
  return {
    plan,
    batch: withoutGroups(batch, flat),
    metrics: {
      ...(isAsked.refill ? { groupsFiltered: flat.size, groupsRefilled: groups - groupsPerBatch } : {}),
      ...(isAsked.complete ? { episodesReplaced: batch.episodes.filter(({ leftOut }) => leftOut).length } : {}),
    },
  };
}

/** With another episode of its group for each that was lost, which is left out then. */
async function completed(batch: FinishedBatch, iteration: number, parts: GatherParts): Promise<FinishedBatch> {
  if (parts.train.incompleteGroups !== "complete") return batch;
  let whole = batch;
  for (let round = 1; round <= completionsMax; round++) {
    const lost = whole.episodes.filter((episode) => !episode.leftOut && isLost(episode));
    if (lost.length === 0) break;
    const present = whole.episodes.map(({ summary }) => summary.key);
    const plan = parts.planner.completion(
      iteration,
      lost.map(({ summary }) => summary.key),
      present,
    );
    const more = await attempted(parts, plan);
    const left = whole.episodes.map((episode) => (lost.includes(episode) ? { ...episode, leftOut: true } : episode));
    whole = merged({ ...whole, episodes: left }, more);
  }
  return whole;
}

/** What is rolled out besides the batch may be lost as a whole: then there is only more that was lost. */
async function attempted({ rollOut }: GatherParts, plan: BatchPlan): Promise<FinishedBatch> {
  try {
    return await rollOut(plan);
  } catch (error) {
    if (error instanceof NothingCameBack) return error.batch;
    throw error;
  }
}

/** Groups in which every episode that counts had the same reward and the same cost: no advantage follows from them. */
function flatGroups({ episodes }: FinishedBatch, channels: "separate" | "scalar"): ReadonlySet<number> {
  const groups = Map.groupBy(episodes, ({ summary }) => summary.key.group);
  const flat = [...groups].filter(([, members]) => {
    const counted = members.filter((episode) => !episode.leftOut && !isBroken(episode)).map(({ summary }) => summary);
    const signals = channels === "scalar" ? [scalarOf] : [rewardOf, costOf];
    return signals.every((signal) => new Set(counted.map(signal)).size <= 1);
  });
  return new Set(flat.map(([group]) => group));
}

const rewardOf = ({ reward }: EpisodeSummary): number => reward;
const costOf = ({ cost }: EpisodeSummary): number => cost;
const scalarOf = ({ scalarReward }: EpisodeSummary): number => scalarReward;

const lostOutcomes: readonly EpisodeOutcome[] = ["failed", "killed", "quarantined", "cancelled", "timed-out"];
const brokenOutcomes: readonly EpisodeOutcome[] = ["failed", "quarantined", "timed-out"];

function isLost({ summary }: RolledOut): boolean {
  return lostOutcomes.includes(summary.outcome);
}

/** Nothing is learned from it anyway. */
function isBroken({ summary }: RolledOut): boolean {
  return brokenOutcomes.includes(summary.outcome) || !Number.isFinite(summary.reward);
}

function withoutGroups(batch: FinishedBatch, groups: ReadonlySet<number>): FinishedBatch {
  if (groups.size === 0) return batch;
  const isOut = ({ summary, leftOut }: RolledOut) => leftOut === true || groups.has(summary.key.group);
  return { ...batch, episodes: batch.episodes.map((episode) => ({ ...episode, leftOut: isOut(episode) })) };
}

function merged(one: FinishedBatch, other: FinishedBatch): FinishedBatch {
  const times = one.times && other.times && { startMs: one.times.startMs, endMs: other.times.endMs };
  return {
    times,
    episodes: [...one.episodes, ...other.episodes].sort(byPlace),
    audit: [...one.audit, ...other.audit].sort(bySequence),
  };
}
