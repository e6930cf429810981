import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadConfig } from "../../../src/config/load-config.ts";
import { findWorkload } from "../../../src/config/workloads.ts";
import { measureBench } from "../../../src/run/bench/measure.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-test-measure-"));
  vi.stubEnv("TMPDIR", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it("an aborted measurement ends after the batch in hand, with its workers closed and its store gone", async () => {
  const { file, sets } = findWorkload("echo-spans");
  const { config } = await loadConfig({ file, sets: [...sets, "train.groupsPerBatch=2", "train.groupSize=2"] });
  const stop = new AbortController();
  const told: string[] = [];
  const tell = (text: string) => {
    told.push(text);
    if (text.includes("round 1")) stop.abort(new Error("enough"));
  };
  const measuring = measureBench({
    ...{ workloads: [{ name: "echo-spans", config }], workerCounts: [1], governed: [true], stored: true, seconds: 1 },
    ...{ signal: stop.signal, tell },
  });
  await expect(measuring).rejects.toThrow("the measurement was cancelled");
  expect(told.filter((text) => text.includes("round"))).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([]);
});
