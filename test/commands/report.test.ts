import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load-config.ts";
import { describeMachine } from "../../src/report/machine.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { renderTable } from "../../src/report/table.ts";
import { openStore } from "../../src/store/open.ts";
import { faraday } from "./run-cli.ts";

const measure = { taskAccuracy: 0.9, violationRate: 0.1, undetectedRate: 0, episodes: 100 };
const found: RunReport = {
  ...{
    run: "r1",
    status: "succeeded",
    seed: 1,
    wallSeconds: 12,
    time: { evaluation: 3, rollout: 5, learn: 3, store: 0.5, idle: 0.5 },
    iterations: 1,
    episodes: 256,
    quarantinedEpisodes: 0,
    quarantinedTasks: [],
    workers: 2,
  },
  ...{ before: measure, after: measure, ungoverned: measure },
  ...{
    config: { "train.seed": 1 },
    evaluations: [],
    best: null,
    curve: [{ iteration: 1, metrics: { accuracy: 0.9 } }],
    machine: describeMachine(),
    audit: null,
  },
};

async function runDirectory(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "faraday-report-"));
  const { config } = await loadConfig();
  writeFileSync(join(directory, "report.json"), JSON.stringify(found));
  writeFileSync(join(directory, "config.json"), JSON.stringify(config));
  await using store = await openStore(config.store, { baseDir: directory });
  await store.beginRun({ id: "r1", config });
  return directory;
}

it("faraday report prints the table and writes the page", async () => {
  const directory = await runDirectory();
  const { stdout, stderr, exitCode } = await faraday(["report", directory]);
  expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
  expect(stdout).toContain(renderTable(found));
  expect(stdout).toContain("Time: 12.0 s: evaluation 3.0, rollout 5.0, learn 3.0, store 0.5, idle 0.5");
  expect(readFileSync(join(directory, "report.html"), "utf8")).toContain("r1");
  expect(existsSync(join(directory, "report.html.new"))).toBe(false);
});

it("faraday report --json prints the report as it was left", async () => {
  const { stdout } = await faraday(["report", await runDirectory(), "--json"]);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(found)));
});

it("a run that has not ended, or has a broken report, is told from one that has", async () => {
  const directory = mkdtempSync(join(tmpdir(), "faraday-report-"));
  writeFileSync(join(directory, "config.json"), "{}");
  expect(await faraday(["report", directory])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("its run has not ended"),
  });
  writeFileSync(join(directory, "report.json"), '{"run": 1}');
  expect(await faraday(["report", directory])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("report.json is not the report of a run"),
  });
});
