import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { deriveSeed, Random } from "../../src/core/random.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { train as runTraining } from "../../src/run/train.ts";
import { RunStore } from "../../src/store/sql/run-store.ts";
import { faraday } from "../commands/run-cli.ts";
import { type ChatterOptions, chatterConfig, chatterTrain, chatterTrainer, runChatter, storedRun } from "./chatter.ts";

const iterations = 3;
const train = { iterations, checkpointEvery: 1 };
/** Where the number of workers says nothing, there is one, which starts sooner. */
const alone = { train, workers: 1 };
const whole = await runChatter(alone).then(({ out, report }) => leftBy(out, report));

/** All that must not depend on where a run was stopped. */
async function leftBy(out: string, report: RunReport) {
  const { status, episodes } = await storedRun(out);
  return {
    status,
    weights: readFileSync(join(out, "checkpoints", String(iterations), "model.safetensors")),
    episodes: episodes.map(({ worker: _, ...episode }) => episode),
    measures: [report.ungoverned, report.before, report.after],
    counts: [report.iterations, report.episodes, report.quarantinedEpisodes],
    curve: report.curve.map(({ iteration, metrics }) => [iteration, metrics.accuracy, metrics.loss, metrics.entropy]),
  };
}

async function resumed(out: string): Promise<RunReport> {
  const ran = await faraday(["train", "--resume", out, "--json"]);
  expect(ran).toMatchObject({ exitCode: 0 });
  return JSON.parse(ran.stdout) as RunReport;
}

async function expectSameAsWhole(out: string): Promise<void> {
  expect(await leftBy(out, await resumed(out))).toEqual(whole);
  expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  for (const file of ["run.lock", "state", "report.json.partial"]) expect(existsSync(join(out, file))).toBe(false);
}

/** A run that is cancelled as soon as it says that an iteration has ended, with the next batch in hand; 0 is before the first. */
async function cancelledAfter(iteration: number, options: ChatterOptions = {}): Promise<string> {
  const abort = new AbortController();
  const { trainer, out } = chatterTrainer({
    ...{ ...alone, signal: abort.signal, ...options },
    onEvent: (event) => {
      const done = event.type === "iteration-end" ? event.iteration : event.type === "evaluation-end" ? 0 : -1;
      if (done === iteration) abort.abort();
    },
  });
  expect(await trainer.train()).toMatchObject({ status: "cancelled", iterations: doneAfter(iteration) });
  return out;
}

/** The batch in hand is finished. */
function doneAfter(iteration: number): number {
  return iteration === 0 ? 0 : Math.min(iteration + 1, iterations);
}

describe("a run that is resumed ends with the weights, episodes and measures of one that was never stopped", () => {
  it.each([
    [0, 1],
    [1, 2],
    [2, 1],
  ])("after it was cancelled at the end of iteration %i, with %i of its workers", async (iteration, workers) => {
    await expectSameAsWhole(await cancelledAfter(iteration, { workers }));
  });

  it("when batches are rolled out ahead of the updates", async () => {
    const options = { ...alone, train: { ...train, iterations: 4, async: { stalenessMax: 2 } } };
    const undisturbed = await runChatter(options);
    expect(undisturbed.report.curve.map(({ metrics }) => metrics.staleness)).toEqual([0, 1, 2, 2]);
    const abort = new AbortController();
    const { trainer, out } = chatterTrainer({
      ...{ ...options, signal: abort.signal },
      onEvent: ({ type }) => type === "iteration-end" && abort.abort(),
    });
    expect(await trainer.train()).toMatchObject({ status: "cancelled", iterations: 4 });
    expect((await resumed(out)).iterations).toBe(4);
    const killed = chatterTrainer(options);
    await brokenStore("before", "train 2", () => expect(killed.trainer.train()).rejects.toThrow("the disk is gone"));
    for (const { out: other, report } of [
      { out, report: await resumed(out) },
      { out: killed.out, report: await resumed(killed.out) },
    ]) {
      expect(await leftBy(other, report)).toEqual(await leftBy(undisturbed.out, undisturbed.report));
      expect(await faraday(["audit", "verify", other])).toMatchObject({ exitCode: 0 });
    }
  });

  it("when it was cancelled again and again, with other numbers of workers", async () => {
    const out = await cancelledAfter(0, { workers: 1 });
    for (const workers of [3, 2]) {
      const { config } = await loadConfig({ file: join(out, "config.json"), overrides: { workers } });
      const abort = new AbortController();
      const events = (event: RunEvent) => event.type === "iteration-end" && abort.abort();
      expect(await runTraining({ config, resume: out, signal: abort.signal, events })).toMatchObject({
        status: "cancelled",
      });
    }
    await expectSameAsWhole(out);
  });

  it.each(["before", "after"] as const)(
    "when storing broke %s a batch was on disk, and broke at a later one each time that it went on",
    async (when) => {
      const { trainer, out } = chatterTrainer(alone);
      const goOn = async () => expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 1 });
      await brokenStore(when, "ungoverned 0", () => expect(trainer.train()).rejects.toThrow("the disk is gone"));
      // The second evaluation and the second iteration are as the first, and left out for their time.
      for (const batch of ["train 1", "train 3", "after 3"]) {
        expect(await storedRun(out)).toMatchObject({ status: "failed" });
        await brokenStore(when, batch, goOn);
      }
      expect(await storedRun(out)).toMatchObject({ status: "failed" });
      await expectSameAsWhole(out);
    },
  );
});

/** The store fails at a batch, named by its phase and iteration: before its transaction or behind it. */
async function brokenStore(when: "before" | "after", at: string, run: () => Promise<unknown>): Promise<void> {
  const store = RunStore.prototype.storeBatch;
  const spy = vi.spyOn(RunStore.prototype, "storeBatch").mockImplementation(async function (this: RunStore, batch) {
    const breaks = `${batch.phase} ${batch.iteration}` === at;
    if (!breaks || when === "after") await store.call(this, batch);
    if (breaks) throw new Error("the disk is gone");
  });
  await run();
  expect(spy).toHaveBeenCalledWith(expect.objectContaining({ iteration: Number(at.split(" ")[1]) }));
  spy.mockRestore();
}

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function start(args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<number | null> } {
  const child = spawn(process.execPath, ["--conditions=faraday-source", cli, "train", ...args], { stdio: "ignore" });
  children.push(child);
  return { child, ended: new Promise((resolve) => child.once("close", resolve)) };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(5);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function linesOf(out: string): number {
  const file = join(out, "events.jsonl");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length : 0;
}

describe("a process that is killed", () => {
  it.each([1, 2, 3])("at any moment, twice, loses nothing that shows (seed %i)", async (seed) => {
    const random = new Random(deriveSeed(7, seed));
    const config = chatterConfig({ train: { ...chatterTrain, ...train }, workers: 2 });
    const out = join(config, "..", "run");
    for (const args of [
      [config, "--out", out],
      ["--resume", out],
    ]) {
      const { child, ended } = start(args);
      const from = linesOf(out);
      const lines = 1 + random.below(3);
      await until(() => linesOf(out) > from + lines || child.exitCode !== null);
      await pause(random.below(40));
      child.kill("SIGKILL");
      await ended;
    }
    await expectSameAsWhole(out);
  });

  it("leaves a lock that the next one takes, and that a third finds held", async () => {
    const config = chatterConfig({ train: { ...chatterTrain, iterations: 100_000 }, workers: 1 });
    const out = join(config, "..", "run");
    const first = start([config, "--out", out]);
    await until(() => linesOf(out) > 3);
    first.child.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(out, "run.lock"))).toBe(true);
    const second = start(["--resume", out]);
    await until(() => /run-resume/u.test(readFileSync(join(out, "events.jsonl"), "utf8")));
    const third = await faraday(["train", "--resume", out]);
    expect(third).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/goes on in process \d+; end that first/),
    });
    second.child.kill("SIGKILL");
    await second.ended;
  });
});

describe("resume", () => {
  it("says of a finished run what it said, and does nothing", async () => {
    const { out } = await runChatter(alone);
    const before = readFileSync(join(out, "report.json"), "utf8");
    const again = await faraday(["train", "--resume", out, "--json"]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(again.stdout)).toEqual(JSON.parse(before));
    expect(readFileSync(join(out, "report.json"), "utf8")).toBe(before);
  });

  it("refuses a directory that is no run's", async () => {
    const folder = join(chatterConfig(), "..");
    expect(await faraday(["train", "--resume", folder])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("it has no config.json"),
    });
  });

  it("has the same lock within one process", async () => {
    const out = await cancelledAfter(1);
    const one = faraday(["train", "--resume", out]);
    await until(() => existsSync(join(out, "run.lock")));
    expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 2 });
    expect(await one).toMatchObject({ exitCode: 0 });
  });

  it("puts back a checkpoint that the process was killed in the middle of replacing, and removes what was not finished", async () => {
    const out = await cancelledAfter(1);
    const [one, two] = [join(out, "checkpoints", "1"), join(out, "checkpoints", "2")];
    const before = readFileSync(join(one, "model.safetensors"));
    renameSync(one, `${one}.earlier`);
    cpSync(two, `${one}.partial`, { recursive: true });
    cpSync(two, `${two}.earlier`, { recursive: true });
    await expectSameAsWhole(out);
    expect(readFileSync(join(one, "model.safetensors"))).toEqual(before);
    expect(readdirSync(join(out, "checkpoints")).toSorted()).toEqual(["1", "2", "3"]);
  });

  it("takes the lock of a process whose id another one has now", async () => {
    const out = await cancelledAfter(1);
    writeFileSync(join(out, "run.lock"), `${process.pid}\n1\n`);
    await expectSameAsWhole(out);
  });
});

describe("what refuses to go on leaves the run as it was", () => {
  let out = "";
  beforeAll(async () => {
    out = await cancelledAfter(1);
  });

  it("another config, and another directory to write to", async () => {
    for (const [args, message] of [
      [["--seed", "2"], /save for workers and isolation; got another train\.seed/],
      [["--set", "train.iterations=9"], /got another train\.iterations/],
      [["--out", "elsewhere"], /--resume or --out, not both/],
    ] as const) {
      expect(await faraday(["train", "--resume", out, ...args])).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(message),
      });
      expect(existsSync(join(out, "run.lock"))).toBe(false);
    }
  });

  it.each<[string, RegExp, (out: string) => string, (bytes: Buffer) => Buffer]>([
    [
      "a damaged state",
      /it is damaged/,
      (out) => join(out, "state", "2.state"),
      (bytes) => Buffer.concat([bytes, bytes]),
    ],
    ["another base policy", /the base policy must be the one that the run was begun with/, basePolicyOf, flipped],
  ])("%s", async (_, message, fileOf, change) => {
    const file = fileOf(out);
    const before = readFileSync(file);
    writeFileSync(file, change(before));
    await expectStuck(message);
    writeFileSync(file, before);
  });

  it("a lost state", async () => {
    rmSync(join(out, "state", "2.state"));
    await expectStuck(/cannot go on after iteration 2 without its state/);
  });

  async function expectStuck(message: RegExp): Promise<void> {
    const { exitCode, stderr } = await faraday(["train", "--resume", out]);
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).toMatch(message);
    expect(readdirSync(out)).not.toContain("run.lock");
    expect((await storedRun(out)).episodes).toHaveLength(2 * chatterTrain.evalEpisodes + 2 * 24);
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  }
});

function basePolicyOf(out: string): string {
  const { model } = JSON.parse(readFileSync(join(out, "config.json"), "utf8"));
  return join(model.checkpoint, "model.safetensors");
}

/** With one bit changed in the last of the weights. */
function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length - 4] = (changed[changed.length - 4] as number) ^ 1;
  return changed;
}
