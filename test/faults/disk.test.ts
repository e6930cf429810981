import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { FaradayError } from "../../src/core/errors.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { train } from "../../src/run/train.ts";
import { StoreServer } from "../../src/store/http/store-server.ts";
import { openStore } from "../../src/store/open.ts";
import { faraday } from "../commands/run-cli.ts";
import { ask } from "../store/http/serve-store.ts";
import { holdWriteLock } from "./locked-database.ts";
import { noDisk, SmallDisk } from "./small-disk.ts";
import { smallConfig, start, weightsOf } from "./small-run.ts";

const config = smallConfig();
const undisturbed = join(config, "..", "whole");
expect(await faraday(["train", config, "--out", undisturbed])).toMatchObject({ exitCode: 0 });

/** Trains in a folder; what is done at each event, and what came of it: its error, or `null`. */
async function trainIn(out: string, onEvent: (event: RunEvent) => void = () => {}): Promise<FaradayError | null> {
  try {
    await train({ config: (await loadConfig({ file: config })).config, out, events: onEvent });
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(FaradayError);
    return error as FaradayError;
  }
}

/** Nothing half-written, the log as it was signed; then it goes on, and ends as a run that nothing befell. */
async function expectToGoOn(out: string): Promise<void> {
  expect(globSync("**/*.{partial,earlier}", { cwd: out })).toEqual([]);
  const { exitCode, stdout } = await faraday(["audit", "verify", out]);
  if (exitCode !== 0) expect(stdout).toContain("it has no signed tree");
  expect(await faraday(["train", "--resume", out])).toMatchObject({ exitCode: 0 });
  expect(weightsOf(out).equals(weightsOf(undisturbed))).toBe(true);
  expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
}

const isEnd = (event: RunEvent, iteration: number) => event.type === "iteration-end" && event.iteration === iteration;

describe.skipIf(noDisk !== null)(`a disk${noDisk === null ? "" : ` (${noDisk})`}`, () => {
  it.each([
    ["to the last byte", 0],
    ["but for a few pages", 24 * 1024],
    ["but for a little", 160 * 1024],
  ])("that is full %s in the middle of a run ends it with a word on what to free, and it goes on", async (_, leave) => {
    using disk = new SmallDisk(16);
    const out = join(disk.path, "run");
    const error = await trainIn(out, (event) => isEnd(event, 1) && disk.fill(leave));
    expect(error?.message).toMatch(
      `the disk is full; free some space on it, then go on with faraday train --resume ${out}`,
    );
    expect(error?.message).toContain(`${out}/`);
    disk.free();
    await expectToGoOn(out);
  });

  it("that is full before a run begins leaves no run", async () => {
    using disk = new SmallDisk(1);
    disk.fill(0);
    const ran = await faraday(["train", config, "--out", join(disk.path, "run")]);
    expect(ran.exitCode).toBeGreaterThan(0);
    expect(ran.stderr).toMatch(/^faraday: .*(?:no space left|full)/im);
    expect(existsSync(join(disk.path, "run"))).toBe(false);
  });

  it("that is full keeps reports, exports and proofs as they were", async () => {
    using disk = new SmallDisk(16);
    const out = join(disk.path, "run");
    expect(await trainIn(out)).toBeNull();
    const page = readFileSync(join(out, "report.html"));
    disk.fill(0);
    const [exported, proof] = [join(disk.path, "episodes.jsonl"), join(disk.path, "proof.json")];
    for (const args of [
      ["report", out],
      ["export", out, "--format", "jsonl", "--out", exported],
      ["audit", "prove", out, "train-1-0-0", "--out", proof],
    ]) {
      expect(await faraday(args)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/the disk is full.*free some space/),
      });
    }
    expect(readFileSync(join(out, "report.html")).equals(page)).toBe(true);
    expect(globSync("{episodes,proof}*", { cwd: disk.path })).toEqual([]);
  });

  it("that is full makes a server of its store refuse, and take what comes once there is space again", async () => {
    using disk = new SmallDisk(4);
    await using store = await openStore("sqlite:faraday.db", { baseDir: disk.path });
    const errors: string[] = [];
    const logger = { debug() {}, info() {}, warning() {}, error: (message: string) => void errors.push(message) };
    await using server = await StoreServer.listen({ store, port: 0, logger });
    const enqueue = () => ask(server.url, "/rollouts", { input: "x".repeat(50_000) });
    expect((await enqueue()).status).toBe(201);
    disk.fill(0);
    const refused = await Promise.all([enqueue(), enqueue(), enqueue()]);
    expect(refused.map(({ status }) => status)).toEqual([500, 500, 500]);
    expect(errors).toHaveLength(3);
    disk.free();
    expect((await enqueue()).status).toBe(201);
    expect((await ask(server.url, "/statistics")).body.total_rollouts).toBe(2);
  });

  it("that is read-only is named as such", async () => {
    using disk = new SmallDisk(16);
    const out = join(disk.path, "run");
    expect(await trainIn(out)).toBeNull();
    await disk.makeReadOnly();
    for (const args of [
      ["train", config, "--out", join(disk.path, "other")],
      ["report", out],
      ["export", out, "--format", "jsonl", "--out", join(disk.path, "episodes.jsonl")],
    ]) {
      const { exitCode, stderr } = await faraday(args);
      expect([1, 2]).toContain(exitCode);
      expect(stderr).toMatch(/^faraday: .*(?:read-only|not writable|cannot be opened for writing)/m);
    }
    disk.makeWritable();
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  });
});

describe("a run directory", () => {
  it("that is removed in the middle of a run ends it with a word on that, and is not made again", async () => {
    const out = join(config, "..", "removed");
    const error = await trainIn(out, (event) => isEnd(event, 1) && rmSync(out, { recursive: true }));
    expect(error?.message).toMatch(/is gone; it must stay where it is|was removed|leave them where they are/);
    expect(existsSync(out)).toBe(false);
  });
});

describe("a database", () => {
  it("that another process writes to for a while is waited for", async () => {
    const out = join(config, "..", "locked");
    let released: Promise<void> | undefined;
    const error = await trainIn(out, (event) => {
      if (isEnd(event, 1)) released = holdWriteLock(join(out, "faraday.db"), 300);
    });
    await released;
    expect(error).toBeNull();
    expect(weightsOf(out).equals(weightsOf(undisturbed))).toBe(true);
  });

  it.each([
    ["pages of it", (file: string) => damage(file, 4096, 64 * 1024)],
    ["its header", (file: string) => damage(file, 0, 100)],
    ["all behind its first page", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 4096))],
  ])("that is damaged in %s is told as such by every command", async (_, harm) => {
    const out = join(config, "..", `damaged-${Math.random()}`);
    const abort = new AbortController();
    await train({
      ...{ config: (await loadConfig({ file: config })).config, out, signal: abort.signal },
      events: (event) => isEnd(event, 1) && abort.abort(),
    });
    harm(join(out, "faraday.db"));
    for (const args of [
      ["train", "--resume", out],
      ["audit", "verify", out],
      ["export", out, "--format", "jsonl", "--out", join(out, "episodes.jsonl")],
    ]) {
      const { exitCode, stderr } = await faraday(args);
      expect([1, 2]).toContain(exitCode);
      expect(stderr).toMatch(/malformed|damaged|not an SQLite database|not a Faraday store/);
      expect(stderr).not.toMatch(/internal error|\n\s+at /);
    }
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });
});

function damage(file: string, from: number, to: number): void {
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.fill(0xa5, from, Math.min(to, bytes.length)));
}

describe("open files", () => {
  it.skipIf(process.platform === "win32")(
    "that may not be more end a run with the limit's name, and it goes on under a higher one",
    async () => {
      const out = join(config, "..", "few-files");
      const limited = start(["train", config, "--out", out], { under: ["bash", "-c", 'ulimit -n 30; exec "$@"', "-"] });
      const { exitCode, stderr } = await limited.ended;
      // How many a process needs for itself differs from system to system.
      if (exitCode === 0) return;
      expect(stderr).toMatch(/ulimit -n/);
      expect(stderr).not.toMatch(/internal error|\n\s+at /);
      if (existsSync(join(out, "config.json"))) await expectToGoOn(out);
    },
  );
});

describe("the clock", () => {
  afterEach(() => vi.useRealTimers());

  it("may jump backwards at any moment of a run", async () => {
    const out = join(config, "..", "clock");
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2026-06-01T12:00:00Z") });
    expect(await trainIn(out, () => vi.setSystemTime(Date.now() - 3_600_000))).toBeNull();
    vi.useRealTimers();
    expect(weightsOf(out).equals(weightsOf(undisturbed))).toBe(true);
    expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 0 });
  });
});
