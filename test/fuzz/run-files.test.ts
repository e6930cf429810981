import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, it } from "vitest";
import { readReport } from "../../src/commands/run-directory.ts";
import { packTrajectories } from "../../src/core/trajectory.ts";
import { holderOf, lockName } from "../../src/run/run-lock.ts";
import { type RunState, StateFolder } from "../../src/run/run-state.ts";
import { packTrajectoryColumns, unpackTrajectoryColumns } from "../../src/store/sql/trajectory-codec.ts";
import { fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
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

  it("as its lock", () =>
    fuzz(mutantText(`${process.pid}\n12345\n`, "4294967296\n1\n"), (text) => {
      writeFileSync(join(folder, lockName), text);
      holderOf(join(folder, lockName));
    }));
});

function withDigest(body: Buffer): Buffer {
  return Buffer.concat([createHash("sha256").update(body).digest(), body]);
}
