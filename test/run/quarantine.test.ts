import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadAuditKey } from "../../src/audit/audit-key.ts";
import { renderHtml } from "../../src/report/html.ts";
import { renderTable } from "../../src/report/table.ts";
import { AuditTrail } from "../../src/run/audit-trail.ts";
import type { FinishedBatch } from "../../src/run/dispatch.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { Planner } from "../../src/run/plan.ts";
import { openPolicyModel } from "../../src/run/policy-model.ts";
import { RolloutPool } from "../../src/run/rollout-pool.ts";
import { RunDirectory } from "../../src/run/run-directory.ts";
import { type Pool, TrainingRun } from "../../src/run/training-run.ts";
import { openStore, storePlace } from "../../src/store/open.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterTrainer, freshFolder } from "./chatter.ts";

test("an episode whose worker lies about it is kept and reported, and nothing is learned from it", async () => {
  const events: RunEvent[] = [];
  const { report, episodes, directory } = await runWith(liar, (event) => events.push(event));
  const [lie, ...others] = episodes.filter(({ outcome }) => outcome === "quarantined");
  expect(others).toEqual([]);
  expect(lie).toMatchObject({ outcome: "quarantined", success: false, reward: 0, advantage: 0 });
  expect(lie?.error?.message).toMatch(/syscalls: \d mediated, \d recorded/);
  expect(events.filter(({ type }) => type === "episode-quarantined")).toEqual([
    { type: "episode-quarantined", episode: lie?.key.id, reason: lie?.error?.message },
  ]);
  expect(report.quarantinedEpisodes).toBe(1);
  expect(report.curve.map(({ metrics }) => metrics.quarantinedEpisodes)).toEqual([1, 0]);
  expect(renderTable(report)).toMatch(/Quarantined: 1\./);
  expect(renderHtml(report)).toMatch(/quarantined episodes<\/dt><dd>1</);
  const group = episodes.filter(({ key }) => key.phase === "train" && key.iteration === 1 && key.group === 0);
  const rest = group.filter(({ outcome }) => outcome !== "quarantined");
  // The group is compared without it.
  expect(rest.reduce((sum, { advantage }) => sum + (advantage ?? 0), 0)).toBeCloseTo(0);
  expect(await faraday(["audit", "verify", directory])).toMatchObject({ exitCode: 0 });
});

test("a run that was told the truth quarantines nothing", async () => {
  const { report, episodes } = await runWith((batch) => batch);
  expect(report.quarantinedEpisodes).toBe(0);
  expect(episodes.every(({ outcome }) => outcome === "completed")).toBe(true);
  expect(renderTable(report)).not.toMatch(/Quarantined/);
});

/** One more syscall than was recorded, in the first episode of the first training batch. */
function liar(batch: FinishedBatch): FinishedBatch {
  const [first, ...rest] = batch.episodes;
  if (first?.summary.key.id !== "train-1-0-0") return batch;
  const summary = { ...first.summary, stepCount: first.summary.stepCount + 1 };
  return { ...batch, episodes: [{ ...first, summary }, ...rest] };
}

/** A real run, on a pool whose answers pass through `doctor`. */
async function runWith(doctor: (batch: FinishedBatch) => FinishedBatch, emit: (event: RunEvent) => void = () => {}) {
  const config = await chatterTrainer().trainer.config();
  const environment = await loadEnvironment(config);
  const checkpoint = openPolicyModel(config, environment);
  using directory = RunDirectory.create(join(freshFolder(), "run"));
  await using store = await openStore(config.store, { baseDir: directory.path });
  await store.beginRun({ id: directory.run, config });
  const place = storePlace(config.store, { baseDir: directory.path });
  const audit = AuditTrail.begin({ config, run: directory.run, store, place, key: loadAuditKey() });
  await using workers = new RolloutPool(config, checkpoint, () => {});
  const pool: Pool = {
    run: async (plan) => doctor(await workers.run(plan)),
    publish: (weights) => workers.publish(weights),
    publishPolicy: (updates, weights) => workers.publishPolicy(updates, weights),
    faults: workers.faults,
    gradients: (shards) => workers.gradients(shards),
  };
  const planner = new Planner(environment.tasks, config.train);
  const { signal } = new AbortController();
  const parts = { config, planner, checkpoint, pool, audit, directory, tasks: "", earlier: null };
  const report = await new TrainingRun({ ...parts, signal, emit }).run();
  await store.endRun({ id: directory.run, status: report.status, report });
  writeFileSync(directory.file("config.json"), JSON.stringify(config));
  return { report, episodes: await store.episodes(directory.run), directory: directory.path };
}
