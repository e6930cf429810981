import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isolations } from "../../src/config/config-schema.ts";
import type { RunEvent } from "../../src/index.ts";
import { smallConfig, start } from "../faults/small-run.ts";
import { type ChatterOptions, type ChatterRun, chatterModule, runChatter, storedRun } from "./chatter.ts";

const train = { iterations: 1, groupsPerBatch: 9, groupSize: 2, groupsPerTask: 3, evalEpisodes: 2 };
const timeout = 120_000;

async function runHostile(fault: NonNullable<ChatterOptions["fault"]>, options: ChatterOptions = {}) {
  const events: RunEvent[] = [];
  const run = await runChatter({ ...options, fault, train, onEvent: (event) => events.push(event) });
  expect(run.report.status).toBe("succeeded");
  expect(run.episodes).toHaveLength(train.groupsPerBatch * train.groupSize + 3 * train.evalEpisodes);
  return { ...run, events };
}

/** Outcome and error of the episodes that misbehave; all others must have completed at once. */
function misbehaved({ episodes }: ChatterRun) {
  const others = episodes.filter(({ key }) => key.task !== "talk-0");
  expect(others.map(({ outcome }) => outcome)).toEqual(others.map(() => "completed"));
  return episodes.filter(({ key }) => key.task === "talk-0").map(({ outcome, error }) => ({ outcome, error }));
}

describe("rubbish is the environment's failure, in the episode that gave it alone", () => {
  test.each([
    ["nan-reward", "score().reward must be a finite number, got NaN"],
    ["no-observation", "step() must give { observation: string }, got undefined"],
    ["huge-observation", "step() must give an observation of at most 1048576 characters, got 2097152"],
  ] as const)(
    "%s",
    async (fault, message) => {
      const run = await runHostile(fault);
      const failed = { outcome: "failed", error: { boundary: "environment", message } };
      const found = misbehaved(run);
      expect(found.length).toBeGreaterThan(0);
      expect(found.filter(({ outcome }) => outcome !== "completed")).not.toEqual([]);
      for (const episode of found) expect([failed, { outcome: "completed" }]).toContainEqual(episode);
      expect(run.events.filter(({ type }) => type === "task-failure")).toEqual([]);
    },
    timeout,
  );
});

test(
  "an answer that is no plain data is the syscall's failure, and the episode goes on",
  async () => {
    const run = await runHostile("cyclic-answer");
    expect(misbehaved(run).map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  },
  timeout,
);

describe.each(isolations)(
  "what an episode leaves behind and breaks is told once with its name, and disturbs nobody: %s",
  (isolation) => {
    test.each(["reject-later", "throw-later"] as const)(
      "%s",
      async (fault) => {
        const run = await runHostile(fault, { isolation });
        misbehaved(run);
        const strays = run.events.filter((event) => event.type === "stray-error");
        expect(strays.length).toBeGreaterThan(0);
        const names = strays.map(({ episode }) => episode);
        expect(new Set(names).size).toBe(names.length);
        const guilty = run.episodes.filter(({ key }) => key.task === "talk-0").map(({ key }) => key.id);
        for (const { episode, reason } of strays) {
          expect(guilty).toContain(episode);
          expect(reason).toMatch(/^an error that nobody caught: /);
        }
        expect(run.events.filter(({ type }) => type === "task-failure")).toEqual([]);
      },
      timeout,
    );
  },
);

test.each([
  ["leak-timers", "thread"],
  ["flood", "thread"],
  ["leak-timers", "process"],
  ["flood", "process"],
] as const)(
  "%s: the run goes on and ends, isolation: %s",
  async (fault, isolation) => {
    const run = await runHostile(fault, { isolation });
    expect(misbehaved(run).map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  },
  timeout,
);

test.each(isolations)(
  "of what an episode prints on both streams a part is passed on, with whose it is, and the run says what it says without: %s",
  async (isolation) => {
    const config = smallConfig({ isolation, env: { module: chatterModule, fault: "flood" } });
    const out = join(config, "..", "run");
    const { exitCode, stdout, stderr } = await start(["train", config, "--out", out]).ended;
    expect(exitCode).toBe(0);
    const { report } = await storedRun(out);
    expect(report).toMatchObject({ status: "succeeded", quarantinedTasks: [] });
    const dropped = `${stdout}${stderr}`.match(/a worker printed more than 65536 bytes in the task of .*: the rest/gu);
    // A task with talk-0 in it; what an episode of it prints is more than a megabyte.
    expect(dropped?.length).toBeGreaterThan(0);
    for (const line of dropped ?? []) expect(line).toMatch(/ the task of train-\d-\d-\d to train-\d-\d-\d: /);
    expect(stdout.length + stderr.length).toBeLessThan((dropped?.length ?? 0) * 70_000 + 20_000);
  },
  timeout,
);

test(
  "a worker whose shared prototypes were changed is replaced, and the others of its tasks are run again",
  async () => {
    const run = await runHostile("pollute");
    const found = misbehaved(run);
    expect(found.map(({ outcome }) => outcome)).not.toContain("completed");
    const told = run.events.filter((event) => event.type === "task-failure");
    expect(told.map(({ fault }) => fault)).toContain("threw");
  },
  timeout,
);

test(
  "a run keeps a status file, which says at the end how it ended and what was tried again",
  async () => {
    const run = await runHostile("exit");
    const status = JSON.parse(readFileSync(join(run.out, "status.json"), "utf8"));
    expect(status).toMatchObject({
      run: "run",
      status: "succeeded",
      iteration: 1,
      iterations: 1,
      workers: 2,
      tasks: [],
    });
    expect(status.faults.retries.died).toBeGreaterThan(0);
    expect(status.faults.newest.at(-1)).toMatchObject({ reason: "a worker failed: worker exited with code: 7" });
  },
  timeout,
);
