import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { retryOptions } from "../../src/config/fault-options.ts";
import { genesis } from "../../src/core/audit.ts";
import type { EpisodeSummary } from "../../src/core/episode.ts";
import { packEpisodes } from "../../src/core/episode-columns.ts";
import { FaradayError } from "../../src/core/errors.ts";
import { packTrajectories } from "../../src/core/trajectory.ts";
import { WorkerFault } from "../../src/pool/worker-fault.ts";
import { Dispatcher } from "../../src/run/dispatch.ts";
import type { FaultEvent } from "../../src/run/events.ts";
import { FaultLedger } from "../../src/run/fault-ledger.ts";
import { type BatchPlan, Planner } from "../../src/run/plan.ts";
import type { RolloutResult, RolloutTask } from "../../src/run/rollout.ts";

const groupSize = 2;

/** A batch of `count` tasks for the workers, of one group each. */
function planOf(count: number): BatchPlan {
  const task = { id: "task", prompt: "do", split: "train" } as const;
  const options = { seed: 1, groupSize, groupsPerBatch: count, groupsPerTask: 1, temperature: 1, evalTemperature: 1 };
  return new Planner([task], options).training(1);
}

/** What a worker would answer: of every episode, its group as the reward. */
function answer({ keys }: RolloutTask, worker = 1): RolloutResult {
  const episodes = keys.map(
    (key): EpisodeSummary => ({
      ...{ key, outcome: "completed", success: true, reward: key.group, cost: 0, scalarReward: 0 },
      ...{ violations: [], oracle: null, stepCount: 1 },
    }),
  );
  const trajectories = keys.map(({ group, index }) => ({
    tokens: Int32Array.of(group, index),
    chosen: Uint8Array.of(0, 1),
    logProbabilities: new Float32Array(2),
  }));
  const health = { episodes: keys.length, memoryBytes: 0, strayErrors: 0 };
  const first = keys[0]?.group ?? 0;
  const audit = { worker, epoch: 0, first, count: 1, previous: genesis, head: genesis, bytes: new Uint8Array() };
  return { worker, episodes: packEpisodes(episodes), trajectories: packTrajectories(trajectories), audit, health };
}

function groupOf({ keys }: RolloutTask): number {
  return keys[0]?.group ?? -1;
}

function later(turns: number): Promise<void> {
  return turns === 0
    ? Promise.resolve()
    : new Promise<void>((resolve) => setImmediate(resolve)).then(() => later(turns - 1));
}

interface Attempt {
  readonly group: number;
  readonly ids: readonly string[];
}

/** Runs a batch on made-up workers that need `delays` turns and fail as often as `failures` says, by group. */
async function runBatch(options: {
  readonly workers: number;
  readonly delays: readonly number[];
  readonly failures?: readonly number[];
}) {
  const attempts: Attempt[] = [];
  const told: string[] = [];
  let underWay = 0;
  let underWayMost = 0;
  const dispatcher = new Dispatcher({
    workers: options.workers,
    faults: new FaultLedger(retryOptions.parse({ taskFaults: 1000 })),
    onFault: ({ reason }) => told.push(reason),
    async run(task) {
      const group = groupOf(task);
      attempts.push({ group, ids: task.keys.map((key) => key.id) });
      underWayMost = Math.max(underWayMost, ++underWay);
      await later(options.delays[group] ?? 0);
      underWay--;
      const tries = attempts.filter((attempt) => attempt.group === group).length;
      if (tries <= (options.failures?.[group] ?? 0)) throw new Error(`worker of group ${group} died`);
      return answer(task, 1 + (group % options.workers));
    },
  });
  const batch = await dispatcher.batch(planOf(options.delays.length));
  return { batch, attempts, told, underWayMost };
}

/** Runs a batch of one task whose first answer is spoiled. */
async function runSpoiled(spoil: (whole: RolloutResult) => unknown) {
  let attempts = 0;
  const told: FaultEvent[] = [];
  const dispatcher = new Dispatcher({
    workers: 1,
    onFault: (event) => told.push(event),
    run: async (task) => (attempts++ === 0 ? spoil(answer(task)) : answer(task)) as RolloutResult,
  });
  return { told, ...(await dispatcher.batch(planOf(1))) };
}

const workers = fc.integer({ min: 1, max: 4 });
const delays = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 24 });

describe("Dispatcher", () => {
  test("results come in the order of the plan, whatever the order of finishing", async () => {
    await fc.assert(
      fc.asyncProperty(workers, delays, async (workerCount, turns) => {
        const { batch } = await runBatch({ workers: workerCount, delays: turns });
        const planned = planOf(turns.length).tasks.flatMap((task) => task.keys);
        expect(batch.episodes.map(({ summary }) => summary.key)).toEqual(planned);
        expect(batch.episodes.map(({ summary }) => summary.reward)).toEqual(planned.map((key) => key.group));
        expect(batch.episodes.map(({ trajectory }) => [...trajectory.tokens])).toEqual(
          planned.map((key) => [key.group, key.index]),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("audit segments come by worker, then in their sequence", async () => {
    await fc.assert(
      fc.asyncProperty(workers, delays, async (workerCount, turns) => {
        const { audit } = (await runBatch({ workers: workerCount, delays: turns })).batch;
        expect(audit).toHaveLength(turns.length);
        const places = audit.map(({ worker, first }) => 1000 * worker + first);
        expect(places).toEqual([...places].sort((one, other) => one - other));
      }),
      { numRuns: 20 },
    );
  });

  test("no more than one task waits besides those that the workers run", async () => {
    await fc.assert(
      fc.asyncProperty(workers, delays, async (workerCount, turns) => {
        const { underWayMost } = await runBatch({ workers: workerCount, delays: turns });
        expect(underWayMost).toBeLessThanOrEqual(workerCount + 1);
      }),
      { numRuns: 20 },
    );
  });

  test.each<[string, (whole: RolloutResult) => unknown]>([
    ["is null", () => null],
    ["is nothing", () => undefined],
    ["is a number", () => 7],
    ["lacks its records", ({ audit: _, ...rest }) => rest],
    ["has records without bytes", (whole) => ({ ...whole, audit: { ...whole.audit, bytes: undefined } })],
    ["has records of the main process", (whole) => ({ ...whole, worker: 0, audit: { ...whole.audit, worker: 0 } })],
  ])("an answer that %s is corrupt, and is tried again", async (_, spoiled) => {
    const { told, episodes, audit } = await runSpoiled(spoiled);
    expect(told).toEqual([expect.objectContaining({ type: "task-failure", fault: "corrupt" })]);
    expect(episodes.map(({ attempt }) => attempt)).toEqual(episodes.map(() => 2));
    expect(audit).toHaveLength(1);
  });

  test.each<[string, (whole: RolloutResult) => unknown]>([
    ["lacks its episodes", ({ episodes: _, ...rest }) => rest],
    ["lacks its trajectories", ({ trajectories: _, ...rest }) => rest],
    ["says it is of nobody", (whole) => ({ ...whole, worker: 0 })],
    ["says it is of another worker", (whole) => ({ ...whole, worker: 2 })],
  ])("an answer that %s is corrupt, and what was recorded is kept", async (_, spoiled) => {
    const { told, episodes, audit } = await runSpoiled(spoiled);
    expect(told).toEqual([expect.objectContaining({ type: "task-failure", fault: "corrupt" })]);
    expect(episodes.map(({ worker, attempt }) => [worker, attempt])).toEqual(episodes.map(() => [1, 2]));
    expect(audit).toHaveLength(2);
  });

  test("a long plan is taken up as the workers get on, not all at once", async () => {
    const plan = planOf(200);
    let [taken, finished, aheadMost] = [0, 0, 0];
    const tasks = Object.assign([...plan.tasks], {
      *[Symbol.iterator]() {
        for (let index = 0; index < plan.tasks.length; index++) {
          aheadMost = Math.max(aheadMost, ++taken - finished);
          yield plan.tasks[index] as RolloutTask;
        }
      },
    });
    const dispatcher = new Dispatcher({
      workers: 2,
      onFault: () => {},
      async run(task) {
        await later(1);
        finished++;
        return answer(task);
      },
    });
    const { episodes } = await dispatcher.batch({ ...plan, tasks });
    expect(episodes).toHaveLength(200 * groupSize);
    expect(aheadMost).toBeLessThanOrEqual(8);
  });

  test("a task that fails for no one's fault is tried once more under new names, then one episode after the other", async () => {
    const failures = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(workers, failures, async (workerCount, counts) => {
        const { batch, attempts, told } = await runBatch({
          workers: workerCount,
          delays: [0, ...counts.map((count) => count)],
          failures: [0, ...counts],
        });
        // Two as a whole, one for each of its episodes.
        expect(told).toHaveLength(counts.reduce((sum, count) => sum + Math.min(count, 2 + groupSize), 0));
        counts.forEach((count, index) => {
          const group = index + 1;
          const made = attempts.filter((attempt) => attempt.group === group);
          expect(made.map(({ ids }) => ids.length)).toEqual(count === 0 ? [2] : count === 1 ? [2, 2] : [2, 2, 1, 1]);
          const ids = made.flatMap((attempt) => attempt.ids);
          expect(new Set(ids).size).toBe(ids.length);
          const episodes = batch.episodes.slice(group * groupSize, (group + 1) * groupSize);
          episodes.forEach(({ summary, attempt }, place) => {
            expect({ group: summary.key.group, attempt }).toEqual({ group, attempt: Math.min(count, 2) + 1 });
            const isLost = count - 2 > place;
            expect(summary.outcome).toBe(isLost ? "failed" : "completed");
            expect(summary.error?.boundary).toBe(isLost ? "worker" : undefined);
          });
        });
      }),
      { numRuns: 40 },
    );
  });

  test("a batch of which nothing comes back is an error, after a bounded number of attempts", async () => {
    const told: string[] = [];
    const dispatcher = new Dispatcher({
      workers: 2,
      onFault: ({ reason }) => told.push(reason),
      run: () => Promise.reject(new Error("no worker boots")),
    });
    const failed = dispatcher.batch(planOf(200));
    await expect(failed).rejects.toThrow(FaradayError);
    await expect(failed).rejects.toThrow(
      /no episode of a batch came back from the workers: a worker failed: no worker boots/,
    );
    expect(told.length).toBeLessThan(20);
  });

  test("many failures do not end a run while the first answer is still under way", async () => {
    const failing = Array.from({ length: 30 }, () => 4);
    const { batch } = await runBatch({ workers: 2, delays: [200, ...failing.map(() => 0)], failures: [0, ...failing] });
    expect(batch.episodes[0]?.summary.outcome).toBe("completed");
    const failed = batch.episodes.slice(groupSize);
    expect(failed.every(({ summary, attempt }) => summary.outcome === "failed" && attempt === 3)).toBe(true);
  });

  test("an answer that cannot be read is asked for again, and what was recorded stays", async () => {
    const told: string[] = [];
    const dispatcher = new Dispatcher({
      workers: 1,
      onFault: (event) => told.push(event.type === "task-failure" ? event.fault : event.type),
      async run(task) {
        const whole = answer(task);
        const isFirst = task.keys.every(({ id }) => !id.includes("~"));
        return isFirst ? { ...whole, episodes: packEpisodes([]) } : whole;
      },
    });
    const { episodes, audit } = await dispatcher.batch(planOf(1));
    expect(told).toEqual(["corrupt"]);
    expect(episodes.map(({ summary, attempt }) => [summary.outcome, attempt])).toEqual([
      ["completed", 2],
      ["completed", 2],
    ]);
    expect(audit).toHaveLength(2);
  });

  test("boots that fail one after the other end the batch with their cause; one that goes well forgives them", async () => {
    const boots = (failures: number) => {
      let made = 0;
      return new Dispatcher({
        workers: 1,
        faults: new FaultLedger(retryOptions.parse({ boots: 2 })),
        onFault: () => {},
        async run(task) {
          if (made++ < failures) throw new WorkerFault("boot", new Error("no database"));
          return answer(task);
        },
      });
    };
    const failed = boots(3).batch(planOf(1));
    await expect(failed).rejects.toThrow(
      "3 workers one after the other could not boot, and none is tried again (retries.boots): a worker failed: no database",
    );
    const patient = boots(2);
    const { episodes } = await patient.batch(planOf(1));
    expect(episodes.every(({ summary, attempt }) => summary.outcome === "completed" && attempt === 3)).toBe(true);
  });

  test("a failure that ends a batch is told once, whoever waits by then: others wait, are under way, and fail after it", async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown) => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    try {
      let ran = 0;
      const dispatcher = new Dispatcher({
        workers: 2,
        faults: new FaultLedger(retryOptions.parse({ boots: 0 })),
        onFault: () => {},
        async run(task) {
          ran++;
          // The first fails while the plan is still being taken up, the others each later than the one before.
          await later(4 * groupOf(task));
          throw new WorkerFault("boot", new Error("no database"));
        },
      });
      await expect(dispatcher.batch(planOf(20))).rejects.toThrow(/^a worker could not boot, .*: no database$/);
      await later(200);
      expect(unhandled).toEqual([]);
      expect(ran).toBeGreaterThan(4);
    } finally {
      process.off("unhandledRejection", onUnhandled);
    }
  });
});
