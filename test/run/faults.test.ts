import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { isolations } from "../../src/config/config-schema.ts";
import { openStore, type RunEvent } from "../../src/index.ts";
import type { StoredEpisode } from "../../src/store/lightning-store.ts";
import { faraday } from "../commands/run-cli.ts";
import { type ChatterOptions, type ChatterRun, chatterTrainer, freshFolder, runChatter, storedRun } from "./chatter.ts";

/** The one batch has every task for training once, in tasks for the workers of three groups. */
const train = { iterations: 1, groupsPerBatch: 9, groupSize: 2, groupsPerTask: 3, evalEpisodes: 2 };
const deadlines = { stepMs: 1500, resetMs: 1500, scoreMs: 1500 };
/** For what may boot many workers on a busy machine. */
const timeout = 120_000;

interface FaultyRun extends ChatterRun {
  readonly events: readonly RunEvent[];
}

async function runFaulty(options: ChatterOptions): Promise<FaultyRun> {
  const events: RunEvent[] = [];
  return { ...(await runChatter({ train, ...options, onEvent: (event) => events.push(event) })), events };
}

let undisturbed: ChatterRun;

beforeAll(async () => {
  undisturbed = await runChatter({ train });
}, timeout);

describe.each(isolations)("isolation: %s", (isolation) => {
  describe("whoever ends its worker is to blame alone, its task is quarantined in the end, and the rest is as without it", () => {
    test.each([
      ["exit", {}, "failed", "environment", /^a worker failed: worker exited with code: 7$/],
      [
        "fill-heap",
        { workerLimits: { heapMb: 64 } },
        "failed",
        "environment",
        /^a worker failed: its heap reached its limit \(workerLimits\.heapMb\)$/,
      ],
      ["loop", { deadlines }, "timed-out", "environment", timeOut("step")],
      ["wasm-loop", { deadlines }, "timed-out", "environment", timeOut("step")],
      ["loop-score", { deadlines }, "timed-out", "environment", timeOut("score")],
      [
        "loop-reset",
        { deadlines },
        "timed-out",
        "environment",
        /^a worker failed: reset: .* 1500 ms; no syscall was made$/,
      ],
      ["spin", { deadlines }, "timed-out", "worker", timeOut("wait")],
    ] as const)(
      "%s",
      async (fault, options, outcome, boundary, message) => {
        const run = await runFaulty({ fault, isolation, ...options });
        await expectBlamed(run, { outcome, boundary, message });
      },
      timeout,
    );
  });

  describe("its episode ends alone at the first attempt, and its worker lives", () => {
    test.each([
      ["what never answers times out", "never", { deadlines }, "timed-out", /^step: .* was chat\.say$/],
      ["process.abort() is refused to the thread that the code runs in", "abort", {}, "failed", /process\.abort/],
    ] as const)(
      "%s",
      async (_, fault, options, outcome, message) => {
        const run = await runFaulty({ isolation, fault, ...options });
        expectComplete(run);
        const lost = run.episodes.filter((episode) => episode.outcome === outcome);
        expect(lost.length).toBeGreaterThan(0);
        for (const { error, attempt, worker } of lost) {
          expect(error).toEqual({ boundary: "environment", message: expect.stringMatching(message) });
          expect(attempt).toBe(1);
          expect(worker).toBeGreaterThan(0);
        }
        expect(run.events.filter(({ type }) => type === "task-failure")).toEqual([]);
        expectOthersUndisturbed(run, lost);
        await expectVerified(run);
      },
      timeout,
    );
  });

  test(
    "a run whose workers die and are tried again ends with the weights of one that nothing happened to",
    async () => {
      const mark = join(freshFolder(), "mark");
      const run = await runFaulty({ isolation, fault: "exit-once", mark });
      expect(existsSync(mark)).toBe(true);
      expect(run.events.some(({ type }) => type === "task-failure")).toBe(true);
      expect(run.episodes.some(({ attempt }) => attempt > 1)).toBe(true);
      expectOthersUndisturbed(run, []);
      expect(weightsOf(run)).toEqual(weightsOf(undisturbed));
      await expectVerified(run);
    },
    timeout,
  );

  test(
    "a run whose workers die at random moments ends with the weights of one that nothing happened to",
    async () => {
      const run = await runFaulty({ isolation, fault: "exit-often", retries: { died: 50, taskFaults: 1000 } });
      expect(run.events.filter(({ type }) => type === "task-failure").length).toBeGreaterThan(0);
      expectComplete(run);
      expectOthersUndisturbed(run, []);
      expect(weightsOf(run)).toEqual(weightsOf(undisturbed));
      await expectVerified(run);
    },
    timeout,
  );
});

describe("a process contains what ends a process", () => {
  test.each([
    ["kill-process", {}, "worker", /^a worker failed: worker process was ended by SIGKILL$/],
    ["segfault", {}, "worker", /^a worker failed: worker process was ended by SIGSEGV$/],
    ["abort-process", {}, "worker", /^a worker failed: worker process was ended by SIGABRT$/],
    [
      "fill-uninterruptibly",
      { workerLimits: { heapMb: 16 } },
      "environment",
      /^a worker failed: .*(workerLimits\.heapMb|JS heap out of memory)/,
    ],
  ] as const)(
    "%s",
    async (fault, options, boundary, message) => {
      const run = await runFaulty({ fault, isolation: "process", ...options });
      await expectBlamed(run, { outcome: "failed", boundary, message });
    },
    timeout,
  );
});

describe("a group that lost an episode is masked or completed, never learned from as if it were whole", () => {
  test.each(["mask", "complete"] as const)(
    "%s",
    async (incompleteGroups) => {
      const mark = join(freshFolder(), "mark");
      const options = { fault: "exit-once", mark, retries: { died: 0 } } as const;
      const run = await runFaulty({ ...options, train: { ...train, incompleteGroups } });
      const [lost, ...others] = run.episodes
        .filter(({ key }) => key.phase === "train" && key.task === "talk-0")
        .sort(failedFirst);
      expect(lost).toMatchObject({ outcome: "failed", advantage: 0 });
      expect(others.map(({ outcome }) => outcome)).toEqual(others.map(() => "completed"));
      expect(others).toHaveLength(incompleteGroups === "mask" ? 1 : train.groupSize);
      // Of an episode that nothing is compared with, nothing is learned.
      if (incompleteGroups === "mask") expect(others[0]?.advantage).toBe(0);
      const [one, other] = others.map(({ advantage }) => advantage as number);
      if (incompleteGroups === "complete") expect(one).toBeCloseTo(-(other as number), 6);
      await expectVerified(run);
    },
    timeout,
  );
});

test(
  "workers that are replaced after so many episodes change nothing",
  async () => {
    const run = await runFaulty({ workerLimits: { episodes: 3 } });
    expect(Math.max(...run.episodes.map(({ worker }) => worker))).toBeGreaterThan(2);
    expect(run.events.some(({ type }) => type === "task-failure")).toBe(false);
    expectOthersUndisturbed(run, []);
    expect(weightsOf(run)).toEqual(weightsOf(undisturbed));
  },
  timeout,
);

test(
  "tasks that overlap in one worker are recorded and learned from as those that do not",
  async () => {
    const run = await runFaulty({ workers: 1, concurrentTasksPerWorker: 3 });
    expectOthersUndisturbed(run, []);
    expect(weightsOf(run)).toEqual(weightsOf(undisturbed));
    await expectVerified(run);
  },
  timeout,
);

test(
  "a quarantined task ends the run where the config says so",
  async () => {
    const retries = { onQuarantine: "stop", taskFaults: 2 } as const;
    await expect(runFaulty({ fault: "exit", retries })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/^task talk-0 ended 2 workers, and retries\.onQuarantine is stop; the last: /),
    });
  },
  timeout,
);

test(
  "a quarantined task stays so in a run that is resumed",
  async () => {
    const abort = new AbortController();
    const { trainer, out } = chatterTrainer({
      ...{ fault: "exit", train: { ...train, iterations: 3 }, retries: { taskFaults: 2 }, signal: abort.signal },
      onEvent: ({ type }) => type === "iteration-end" && abort.abort(),
    });
    expect(await trainer.train()).toMatchObject({ iterations: 2, quarantinedTasks: ["talk-0"] });
    const { exitCode, stdout } = await faraday(["train", "--resume", out, "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: "succeeded", quarantinedTasks: ["talk-0"] });
    const [, resumed = ""] = readFileSync(join(out, "events.jsonl"), "utf8").split('"run-resume"');
    expect(resumed).not.toContain('"task-failure"');
    const last = (await storedRun(out)).episodes.filter(({ key }) => key.id.startsWith("train-3-"));
    const ofTask = last.filter(({ key }) => key.task === "talk-0");
    expect(ofTask.map(({ outcome }) => outcome)).toEqual(["quarantined", "quarantined"]);
    expect(last.filter(({ outcome }) => outcome === "quarantined")).toEqual(ofTask);
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  },
  timeout,
);

test(
  "a run that fails after a batch of quarantined tasks alone goes on past the next such batch, and ends as if it had not failed",
  async () => {
    // Three tasks in turns, one a batch: that of talk-0 comes twice, and its first episode quarantines it.
    const turns = { ...train, iterations: 6, groupsPerBatch: 1, groupSize: 3, groupsPerTask: 1 };
    const options: ChatterOptions = { fault: "exit", tasks: 4, retries: { taskFaults: 1 }, train: turns };
    const whole = await runFaulty(options);
    const alone = whole.report.curve.flatMap(({ iteration, metrics }) =>
      metrics.quarantinedEpisodes === turns.groupSize ? [iteration] : [],
    );
    expect(alone).toHaveLength(2);
    const { trainer, out } = chatterTrainer({
      ...options,
      onEvent(event) {
        if (event.type === "iteration-end" && event.iteration === alone[0]) throw new Error("the listener broke");
      },
    });
    await expect(trainer.train()).rejects.toThrow("the listener broke");
    expect(await storedRun(out)).toMatchObject({ status: "failed" });
    const { exitCode, stdout } = await faraday(["train", "--resume", out, "--json"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status: "succeeded", quarantinedTasks: ["talk-0"] });
    const [, resumed = ""] = readFileSync(join(out, "events.jsonl"), "utf8").split('"run-resume"');
    expect(resumed).not.toContain('"task-failure"');
    const { episodes } = await storedRun(out);
    const outcomes = (all: readonly StoredEpisode[]) =>
      all.map(({ key, attempt, ...rest }) => [key.id, attempt, rest.outcome]);
    expect(outcomes(episodes)).toEqual(outcomes(whole.episodes));
    expect(weightsOf({ out }, 6)).toEqual(weightsOf(whole, 6));
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  },
  timeout,
);

async function expectBlamed(
  run: FaultyRun,
  { outcome, ...fault }: { readonly outcome: string; readonly boundary: string; readonly message: RegExp },
): Promise<void> {
  expect(run.report.status).toBe("succeeded");
  expectComplete(run);
  const lost = run.episodes.filter((episode) => episode.outcome === outcome);
  expect(lost.length).toBeGreaterThan(0);
  for (const { error, attempt, worker } of lost) {
    expect(error).toEqual({ boundary: fault.boundary, message: expect.stringMatching(fault.message) });
    expect(worker).toBe(0);
    if (outcome === "failed") expect(attempt).toBeGreaterThan(1);
  }
  const quarantined = run.episodes.filter((episode) => episode.outcome === "quarantined");
  for (const { error } of quarantined) expect(error?.message).toMatch(/^task talk-0 is quarantined: /);
  expectOthersUndisturbed(run, [...lost, ...quarantined]);
  expectTold(run, quarantined.length > 0);
  expect(run.report.quarantinedTasks).toEqual(quarantined.length > 0 ? ["talk-0"] : []);
  await expectVerified(run);
}

function failedFirst(one: StoredEpisode, other: StoredEpisode): number {
  return Number(other.outcome === "failed") - Number(one.outcome === "failed");
}

function timeOut(stage: string): RegExp {
  return new RegExp(
    `^a worker failed: ${stage}: not done within its deadline of \\d+ ms; the last syscall was chat.say$`,
  );
}

/** Every planned episode is in the store once, in a terminal state. */
function expectComplete({ episodes, report }: ChatterRun): void {
  const names = episodes.map(({ key }) => key.id.split("~")[0]);
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(report.iterations * train.groupsPerBatch * train.groupSize + 3 * train.evalEpisodes);
}

/** Before the first update, the others did what they do in a run without faults. */
function expectOthersUndisturbed(run: ChatterRun, lost: readonly StoredEpisode[]): void {
  const isComparable = ({ key }: StoredEpisode) => lost.length === 0 || key.weights === 0;
  const done = new Map(undisturbed.episodes.map((episode) => [episode.key.id, bytesOf(episode)]));
  const others = run.episodes.filter((episode) => !lost.includes(episode) && isComparable(episode));
  for (const other of others) expect(bytesOf(other)).toEqual(done.get(other.key.id.split("~")[0] as string));
  for (const { key } of lost) expect(key.task).toBe("talk-0");
}

function bytesOf({ key: { seed, task, weights }, outcome, reward, cost, stepCount, tokenCount }: StoredEpisode) {
  return { seed, task, weights, outcome, reward, cost, stepCount, tokenCount };
}

function expectTold({ events }: FaultyRun, isQuarantined: boolean): void {
  const failures = events.filter((event) => event.type === "task-failure");
  expect(failures.length).toBeGreaterThan(0);
  const quarantines = events.filter((event) => event.type === "task-quarantined");
  expect(quarantines.map(({ task }) => task)).toEqual(isQuarantined ? ["talk-0"] : []);
}

function weightsOf({ out }: Pick<ChatterRun, "out">, iteration = 1): Buffer {
  return readFileSync(join(out, `checkpoints/${iteration}/model.safetensors`));
}

async function expectVerified({ out, report }: ChatterRun): Promise<void> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const records = (await store.audit(report.run)).flatMap(recordsOf);
  const starts = records.filter((record) => record.kind === "start");
  expect(records.filter((record) => record.kind === "end")).toHaveLength(starts.length);
  expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
}
