import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RunDirectory } from "../../src/run/run-directory.ts";
import type { RunStatusFile } from "../../src/run/run-status.ts";
import { StatusWriter } from "../../src/run/status-writer.ts";
import { freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

const looping: RunStatusFile["tasks"][number] = {
  ...{ worker: 2, stage: "step", seconds: 41.25, deadlineSeconds: 60, episodes: 12, episode: "train-3-0-7" },
  ...{ syscalls: 5, syscall: "sql.query" },
};
const pool = {
  tasks: () => [looping, { ...looping, worker: 1, stage: "model" as const, seconds: 0, episode: null }],
  faults: { retriedByKind: { died: 2 }, quarantined: ["talk-0"] },
};

/** A run directory whose run goes on in this process, with a status file. */
function runningRun() {
  const out = join(freshFolder(), "run");
  const directory = RunDirectory.create(out);
  const writer = new StatusWriter(directory, pool);
  writer.take({ type: "run-resume", run: "run", dir: out, workers: 2, iteration: 2, iterations: 9 });
  writer.take({ type: "iteration-end", iteration: 3, iterations: 9, metrics: { episodesPerSecond: 812.34 } });
  const fault = { fault: "died", attempt: 1, episodes: 12, episode: "train-3-0-7" } as const;
  writer.take({ type: "task-failure", reason: "a worker failed: gone", ...fault });
  writer.write();
  return { out, directory, writer };
}

test("of a run that goes on: how far it is, what its workers do, what is stuck, what was tried again", async () => {
  const { out, directory, writer } = runningRun();
  using _directory = directory;
  using _writer = writer;
  const { exitCode, stdout } = await faraday(["status", out]);
  expect(exitCode).toBe(0);
  expect(stdout.replaceAll(/\d{4}-\S+Z/gu, "AT").split("\n")).toEqual([
    `run: running in process ${process.pid}, iteration 3 of 9, 812.3 episodes/s`,
    "",
    "worker  stage  seconds  episodes  episode      syscalls  last syscall",
    "2       step   41.3     12        train-3-0-7  5         sql.query     stuck",
    "1       model  0.0      12        -            5         sql.query",
    "",
    "Tried again: died 2",
    "Quarantined tasks: talk-0",
    "AT train-3-0-7: a worker failed: gone",
    "",
  ]);
  const { stdout: json } = await faraday(["status", out, "--json"]);
  expect(JSON.parse(json)).toMatchObject({ status: "running", iteration: 3, tasks: [looping, { worker: 1 }] });
});

test("a run that ended says how, a process that was killed is dead", async () => {
  const { out, directory, writer } = runningRun();
  directory[Symbol.dispose]();
  expect((await faraday(["status", out])).stdout).toMatch(/^run: dead: process \d+ was last heard of at .*--resume/);
  expect(JSON.parse((await faraday(["status", out, "--watch", "--json"])).stdout)).toMatchObject({ status: "dead" });
  writer.end("cancelled");
  expect((await faraday(["status", out])).stdout).toMatch(/^run: cancelled at /);
});

test("--watch says it anew until the run ends", async () => {
  const { out, directory, writer } = runningRun();
  using _directory = directory;
  const watching = faraday(["status", out, "--watch"]);
  setTimeout(() => writer.end("succeeded"), 200);
  const { exitCode, stdout } = await watching;
  expect(exitCode).toBe(0);
  const [last, ...before] = stdout.match(/^run: \w+/gmu)?.toReversed() ?? [];
  expect(last).toBe("run: succeeded");
  // None on a machine so busy that the run had ended when it was first looked at.
  expect(new Set(before).isSubsetOf(new Set(["run: running"]))).toBe(true);
});

test.each([
  ["nothing there", () => {}, "it is no run directory"],
  ["no status", (folder: string) => writeFileSync(join(folder, "config.json"), "{}"), "it has no status.json"],
  [
    "another version's",
    (folder: string) => writeFileSync(join(folder, "status.json"), '{"run":"run","phase":"train"}'),
    "ask the version that made the run (status: ",
  ],
  ["half a file", (folder: string) => writeFileSync(join(folder, "status.json"), '{"run":'), "is not the status of"],
])("%s: said in a line", async (_, prepare, message) => {
  const folder = freshFolder();
  prepare(folder);
  const { exitCode, stderr } = await faraday(["status", folder]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(stderr.trimEnd()).not.toContain("\n");
});
