import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { readReport } from "../../src/commands/run-directory.ts";
import { packTrajectories } from "../../src/core/trajectory.ts";
import { RunDirectory } from "../../src/run/run-directory.ts";
import { holderOf, lockName } from "../../src/run/run-lock.ts";
import { type RunState, StateFolder } from "../../src/run/run-state.ts";
import { type RunStatusFile, statusName } from "../../src/run/run-status.ts";
import { SignalInbox, signalFile } from "../../src/run/signal-inbox.ts";
import { packTrajectoryColumns, unpackTrajectoryColumns } from "../../src/store/sql/trajectory-codec.ts";
import { faraday } from "../commands/run-cli.ts";
import { expectClearText, fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantBytes, mutantJson, mutantText } from "./mutants.ts";

const folder = scratchFolder();
const four = Float32Array.of(1, 2, 3, 4);
const state: RunState = {
  taskFaults: { "task-1": 2 },
  ...{ run: "run", iteration: 1, tasks: "ab".repeat(32), wallSeconds: 2, policies: [four] },
  tree: { origin: "example.org/log", size: 7, root: "cd".repeat(32) },
  learner: { weights: four, first: four, second: four, stepCount: 3, others: { multiplier: Float64Array.of(0.5) } },
};
const report = {
  ...{
    run: "run",
    status: "cancelled",
    seed: 1,
    wallSeconds: 2,
    iterations: 1,
    episodes: 4,
    workers: 2,
    config: { a: 1 },
  },
  ...{ before: null, after: null, ungoverned: null, curve: [{ iteration: 1, metrics: { loss: 0.5 } }] },
  machine: { cpu: "x", cores: 2, memoryBytes: 3, platform: "linux", node: "v26" },
};

describe("what a run left in its directory, and is not what it was", fuzzTimeout, () => {
  it("as a state, with its digest right or not", async () => {
    const states = new StateFolder(folder);
    states.write(state);
    const file = join(folder, "state", "1.state");
    const whole = readFileSync(file);
    const body = whole.subarray(32);
    const cases = fc.oneof(mutantBytes(whole), mutantBytes(body).map(withDigest));
    await fuzz(cases, (bytes) => {
      writeFileSync(file, bytes);
      states.read(1);
    });
  });

  it("as its report", () =>
    fuzz(fc.oneof(mutantJson(report), mutantText(JSON.stringify(report))), (text) => {
      writeFileSync(join(folder, "report.json"), text);
      readReport(folder);
    }));

  it("as the tokens in its store", () => {
    const trajectories = [
      { tokens: Int32Array.of(1, 2, 3), chosen: Uint8Array.of(0, 1, 1), logProbabilities: Float32Array.of(0, -1, -2) },
    ];
    const column = packTrajectoryColumns(packTrajectories(trajectories));
    const packed = mutantBytes(zstdDecompressSync(column)).map((bytes) => zstdCompressSync(bytes));
    return fuzz(fc.oneof(mutantBytes(column), packed), unpackTrajectoryColumns);
  });

  it("as its events, behind which those of the process that goes on are lines of their own", () => {
    const at = "2026-11-28T12:00:00.000Z";
    const lines = [
      { at, type: "run-start", run: "run", dir: "/runs/run", workers: 2, iterations: 3 },
      { at, type: "task-failure", reason: "a worker failed: ü", fault: "died", attempt: 1, episodes: 2 },
    ];
    const events = join(folder, "events.jsonl");
    writeFileSync(join(folder, "config.json"), "{}");
    return fuzz(mutantBytes(Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(""))), (bytes) => {
      writeFileSync(events, bytes);
      using directory = RunDirectory.resume(folder);
      const next = { type: "telemetry-warning", message: "it goes on" } as const;
      directory.appendEvent(next);
      expect(JSON.parse(readFileSync(events, "utf8").split("\n").at(-2) ?? "")).toMatchObject(next);
    });
  });

  it("as its status", () => {
    const status: RunStatusFile = {
      ...{ run: "run", status: "running", pid: process.pid, at: "2026-11-28T12:00:00.000Z" },
      ...{ iteration: 1, iterations: 3, episodesPerSecond: 7.5, workers: 2 },
      tasks: [
        {
          ...{ worker: 1, stage: "step", seconds: 0.5, deadlineSeconds: 60, episodes: 2, episode: "train-1-0-0" },
          ...{ syscalls: 3, syscall: "sql.query" },
        },
      ],
      faults: {
        ...{ retries: { died: 1 }, quarantinedTasks: ["task-1"] },
        newest: [{ at: "2026-11-28T12:00:00.000Z", reason: "a worker failed", episode: "train-1-0-0" }],
      },
    };
    return fuzz(fc.oneof(mutantJson(status), mutantText(JSON.stringify(status))), async (text) => {
      writeFileSync(join(folder, statusName), text);
      const { exitCode, stdout, stderr } = await faraday(["status", folder]);
      expect([0, 2]).toContain(exitCode);
      expectClearText(stdout + stderr);
    });
  });

  it("as the signals that it is sent", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const line = `${JSON.stringify({ episode: "train-1-0-0", signal: "SIGTERM" })}\n`;
    try {
      await fuzz(fc.oneof(mutantBytes(Buffer.from(line.repeat(3))), mutantText(line)), (written) => {
        writeFileSync(join(folder, signalFile), written);
        using _inbox = new SignalInbox(join(folder, signalFile), {
          signal: (episode, signal) => expect([episode.length < 117, signal.slice(0, 3)]).toEqual([true, "SIG"]),
          rejected: expectClearText,
        });
        for (let poll = 0; poll < 4; poll++) vi.advanceTimersByTime(200);
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it("as its lock", () =>
    fuzz(mutantText(`${process.pid}\n12345\n`, "4294967296\n1\n"), (text) => {
      writeFileSync(join(folder, lockName), text);
      holderOf(join(folder, lockName));
    }));
});

function withDigest(body: Buffer): Buffer {
  return Buffer.concat([createHash("sha256").update(body).digest(), body]);
}
