import type { EpisodeKey, Phase } from "../../src/core/episode.ts";
import { episodeName } from "../../src/run/attempt-name.ts";
import { type BatchPlan, Planner } from "../../src/run/plan.ts";
import type { LightningStore, StoredEpisode, StoredIteration } from "../../src/store/lightning-store.ts";
import { openStore } from "../../src/store/open.ts";
import { findingsOf, verifiedRun } from "./audit-findings.ts";
import { unclearErrors } from "./clear-errors.ts";
import type { Fault } from "./faults.ts";
import { isLost, referenceWeights } from "./reference.ts";
import type { Simulation } from "./simulation.ts";

/** What a finished simulation has left: everything that is judged. */
interface Traces extends Simulation {
  readonly store: LightningStore;
  readonly run: string;
  readonly iterations: readonly StoredIteration[];
  readonly episodes: readonly StoredEpisode[];
}

/** @returns What does not hold, in words; nothing where all does. */
export async function brokenInvariants(simulation: Simulation): Promise<string[]> {
  const { out } = simulation;
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const [stored] = await store.runs();
  if (stored === undefined) return ["the store has no run"];
  const traces: Traces = {
    ...simulation,
    ...{
      store,
      run: stored.id,
      iterations: await store.iterations(stored.id),
      episodes: await store.episodes(stored.id),
    },
  };
  return [
    ...unclearErrors(traces),
    ...batchesOnce(traces),
    ...episodesOnce(traces),
    ...groups(traces),
    ...simulation.scenario.kills.broken,
    ...siblings(traces),
    ...(await counts(traces)),
    ...(await audit(traces)),
  ];
}

/** Every batch of the training is stored, and once. */
function batchesOnce({ iterations, scenario: { config } }: Traces): string[] {
  const { iterations: count, evalEvery } = config.train;
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  const expected = [
    ...["ungoverned 0", "before 0", ...numbers.map((number) => `train ${number}`)],
    ...numbers.filter((number) => evalEvery > 0 && number % evalEvery === 0).map((number) => `eval ${number}`),
    `after ${count}`,
  ];
  const found = iterations.map(({ phase, iteration }) => `${phase} ${iteration}`);
  return differing("batches", expected, found);
}

/** Every planned episode has one terminal state, and none has two. Others are those that were rolled out besides, in training alone. */
function episodesOnce(traces: Traces): string[] {
  const planner = new Planner(traces.environment.tasks, traces.scenario.config.train);
  return traces.iterations.flatMap(({ phase, iteration }) => {
    const planned = plannedKeys(planner, traces, phase, iteration).map(({ id }) => id);
    const found = traces.episodes
      .filter(({ key }) => key.phase === phase && key.iteration === iteration)
      .map(({ key }) => episodeName(key.id));
    const twice = found.filter((name, index) => found.indexOf(name) !== index);
    const missing = planned.filter((name) => !found.includes(name));
    const { incompleteGroups, dynamicSampling } = traces.scenario.config.train;
    const mayHaveMore = phase === "train" && (incompleteGroups === "complete" || dynamicSampling !== undefined);
    const extra = mayHaveMore ? [] : found.filter((name) => !planned.includes(name));
    return [
      ...twice.map((name) => `${name} is stored twice`),
      ...missing.map((name) => `${name} was planned and has no terminal state`),
      ...extra.map((name) => `${name} is stored and was not planned`),
    ];
  });
}

function plannedKeys(planner: Planner, traces: Traces, phase: Phase, iteration: number): readonly EpisodeKey[] {
  const { evalEpisodes: episodes, governed } = traces.scenario.config.train;
  const evaluation = (split: "test" | "val"): BatchPlan =>
    planner.evaluation(phase, { split, episodes, weights: iteration, governed: phase !== "ungoverned" && governed });
  const plan = phase === "train" ? planner.training(iteration) : evaluation(phase === "eval" ? "val" : "test");
  return plan.tasks.flatMap(({ keys }) => keys);
}

/** What was lost teaches nothing; a group goes without it, or has had another try at each. */
function groups({ episodes, scenario: { config } }: Traces): string[] {
  const { groupSize, incompleteGroups } = config.train;
  const trained = episodes.filter(({ key }) => key.phase === "train");
  const taught = trained
    .filter((episode) => isLost(episode) && episode.advantage !== 0)
    .map(({ key, outcome, advantage }) => `${key.id} is ${outcome} and has the advantage ${advantage}`);
  const byGroup = Map.groupBy(trained, ({ key }) => `${key.iteration} ${key.group}`);
  const sizes = [...byGroup].flatMap(([group, members]) => {
    const whole = members.filter((episode) => !isLost(episode)).length;
    const isLeftOut = ({ outcome }: StoredEpisode) => incompleteGroups === "complete" && outcome === "killed";
    const kept = members.filter((episode) => !isLost(episode) && !isLeftOut(episode)).length;
    const sum = members.reduce((total, { advantage }) => total + (advantage ?? 0), 0);
    return [
      ...(kept > groupSize ? [`group ${group} has ${kept} whole episodes`] : []),
      ...(incompleteGroups === "mask" && members.length !== groupSize ? [`group ${group} has ${members.length}`] : []),
      ...(whole < 2 && members.some(({ advantage }) => advantage !== 0) ? [`group ${group} of ${whole} teaches`] : []),
      ...(Number.isFinite(sum) ? [] : [`group ${group} has advantages that are no numbers`]),
    ];
  });
  return [...taught, ...sizes];
}

/** Where nothing goes wrong in workers but that some are killed, no other episode is lost. */
function siblings({ episodes, scenario }: Traces): string[] {
  const harmless = (fault: Fault) => fault === "episode-killed" || fault.startsWith("store-");
  if (![...scenario.happened.keys()].every(harmless)) return [];
  return episodes.filter(isLost).map(({ key, outcome }) => `${key.id} is ${outcome}, and others were killed`);
}

/** What is counted in one place is what is counted in another. */
async function counts({ store, run, iterations, episodes, report }: Traces): Promise<string[]> {
  const perBatch = iterations.flatMap(({ phase, iteration, episodes: count, metrics }) => {
    const own = episodes.filter(({ key }) => key.phase === phase && key.iteration === iteration);
    const outcomes = {
      failed: metrics.failedEpisodes,
      killed: metrics.killedEpisodes ?? 0,
      "timed-out": metrics.timedOutEpisodes ?? 0,
      quarantined: metrics.quarantinedEpisodes,
    };
    return [
      ...unequal(`episodes of ${phase} ${iteration}`, count, own.length),
      ...Object.entries(outcomes).flatMap(([outcome, figure]) =>
        unequal(
          `${outcome} of ${phase} ${iteration}`,
          figure,
          own.filter((episode) => episode.outcome === outcome).length,
        ),
      ),
    ];
  });
  const trained = episodes.filter(({ key }) => key.phase === "train").length;
  const violations = episodes.reduce((sum, episode) => sum + episode.violations.length, 0);
  const quarantined = episodes.filter(({ outcome }) => outcome === "quarantined").length;
  return [
    ...perBatch,
    ...unequal("the report's episodes", report.episodes, trained),
    ...unequal("the report's quarantined episodes", report.quarantinedEpisodes, quarantined),
    ...unequal("violations", (await store.violations(run)).length, violations),
  ];
}

/** `faraday audit verify` finds nothing, and the weights are those of the training in which nothing happened, but that the same episodes were lost. */
async function audit({ store, out, episodes, scenario: { config }, environment }: Traces): Promise<string[]> {
  const verification = await verifiedRun(store, out);
  const byName = new Map(episodes.map((episode) => [episodeName(episode.key.id), episode]));
  const expected = await referenceWeights(config, environment, byName);
  const found = verification.log.updates.filter(({ iteration }) => iteration > 0).map(({ weights }) => weights);
  return [...findingsOf(verification), ...differing("weights", expected, found)];
}

function unequal(what: string, one: number | undefined, other: number): string[] {
  return one === other ? [] : [`${what}: ${one} in one place, ${other} in another`];
}

function differing(what: string, expected: readonly string[], found: readonly string[]): string[] {
  const [one, other] = [expected.toSorted().join(", "), found.toSorted().join(", ")];
  return one === other ? [] : [`${what} must be ${one}, got ${other}`];
}
