import { cpSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "../../src/report/run-report.ts";
import { type AuditedRun, auditedRun, expectFound, type Finding } from "./audited-run.ts";
import { faraday } from "./run-cli.ts";

let run: AuditedRun;
beforeAll(async () => {
  run = await auditedRun();
}, 120_000);

const violator =
  "(SELECT rollout FROM violations JOIN rollouts ON rollouts.key = rollout ORDER BY violations.key LIMIT 1)";
const firstTrain = "(SELECT min(key) FROM rollouts WHERE episode = 'train-1-0-0')";

describe("whoever changes rows is found out, when they", () => {
  it.each<[string, string, Partial<Finding> & { code: string }, RegExp]>([
    [
      "say that other weights acted",
      "UPDATE iterations SET weights = 9 WHERE phase = 'train' AND iteration = 2",
      { code: "batch-changed", phase: "train", iteration: 2 },
      /batch train 2: the version of the weights is 9, signed was 1/,
    ],
    [
      "raise a reward",
      `UPDATE rollouts SET reward = reward + 1 WHERE key = ${firstTrain}`,
      { code: "episode-changed", phase: "train", iteration: 1, episode: "train-1-0-0" },
      /outcome: completed with reward [\d.]+ returned, completed with [\d.]+ recorded/,
    ],
    [
      "forgive a cost",
      `UPDATE rollouts SET cost = 0 WHERE key = ${violator}`,
      { code: "episode-changed" },
      /cost: 0 returned, \d+ in penalties, \d+ at its recorded end/,
    ],
    [
      "change an outcome",
      `UPDATE rollouts SET outcome = 'stopped' WHERE key = ${firstTrain}`,
      { code: "episode-changed", episode: "train-1-0-0" },
      /outcome: stopped/,
    ],
    [
      "call an episode quarantined",
      `UPDATE rollouts SET outcome = 'quarantined' WHERE key = ${firstTrain}`,
      { code: "metric-changed", phase: "train", iteration: 1 },
      /quarantinedEpisodes is 0, its episodes give 1/,
    ],
    [
      "change an advantage",
      `UPDATE rollouts SET advantage = advantage + 0.5 WHERE key = ${firstTrain}`,
      { code: "batch-digest", phase: "train", iteration: 1 },
      /batch train 1: .*an advantage, a metric or another figure/,
    ],
    [
      "change what the oracle saw",
      `UPDATE rollouts SET oracle = '[]' WHERE episode = (SELECT episode FROM rollouts WHERE json_array_length(oracle) > 0)`,
      { code: "batch-digest", phase: "ungoverned" },
      /batch ungoverned 0/,
    ],
    [
      "change a task",
      `UPDATE rollouts SET task = 'another' WHERE key = ${firstTrain}`,
      { code: "episode-changed", episode: "train-1-0-0" },
      /task is another, recorded was/,
    ],
    [
      "delete an episode",
      `DELETE FROM rollouts WHERE key = ${firstTrain}`,
      { code: "episode-deleted", episode: "train-1-0-0" },
      /is recorded, and the store has no row of it by worker \d: it was deleted/,
    ],
    [
      "forge an episode",
      `INSERT INTO rollouts (key, run, batch, episode, task, split, group_index, episode_index, seed, weights, worker, attempt,
       outcome, error_boundary, error, success, reward, cost, scalar_reward, advantage, steps, tokens, oracle)
       SELECT 99999, run, batch, 'train-1-0-99', task, split, group_index, 99, seed, weights, worker, attempt,
       outcome, error_boundary, error, success, reward, cost, scalar_reward, advantage, steps, tokens, oracle
       FROM rollouts WHERE key = ${firstTrain}`,
      { code: "episode-added", phase: "train", iteration: 1, episode: "train-1-0-99" },
      /has no record of it: it was added/,
    ],
    [
      "delete a violation",
      "DELETE FROM violations WHERE key = (SELECT min(key) FROM violations)",
      { code: "episode-changed" },
      /violations: \d mediated, \d recorded, \d penalised/,
    ],
    [
      "add a violation",
      `INSERT INTO violations SELECT 99999, ${firstTrain}, 0, statement, policy, rule, severity, type, description, blocked, penalty
       FROM violations LIMIT 1`,
      { code: "episode-changed", episode: "train-1-0-0" },
      /violations: \d mediated, \d recorded, \d penalised/,
    ],
    [
      "make a violation milder",
      "UPDATE violations SET severity = 'low' WHERE severity != 'low'",
      { code: "violation-changed" },
      /severity of violation 0 in step \d is "low", recorded was "(?:critical|high|medium)"/,
    ],
    [
      "change the statement of a violation",
      "UPDATE violations SET statement = 'SELECT 1'",
      { code: "violation-changed" },
      /statement of violation 0 in step \d is "SELECT 1", recorded was/,
    ],
    [
      "change a metric that follows from the episodes",
      `UPDATE iterations SET metrics = json_set(metrics, '$.violationRate', 0.001) WHERE phase = 'before'`,
      { code: "metric-changed", phase: "before" },
      /metric violationRate is 0.001, its episodes give/,
    ],
    [
      "change a metric that does not",
      `UPDATE iterations SET metrics = json_set(metrics, '$.gradNorm', 0.001) WHERE phase = 'train' AND iteration = 2`,
      { code: "batch-digest", phase: "train", iteration: 2 },
      /batch train 2/,
    ],
    [
      "delete a batch with its rows",
      `DELETE FROM rollouts WHERE batch = (SELECT key FROM iterations WHERE phase = 'before');
       UPDATE iterations SET phase = 'eval' WHERE phase = 'before'`,
      { code: "batch-unstored", phase: "before" },
      /batch before 0 is recorded with 16 episodes, and the store has no such batch/,
    ],
    [
      "have a batch give no spans",
      `UPDATE iterations SET emit_violations = NULL WHERE phase = 'train' AND iteration = 1`,
      { code: "span-changed", phase: "train", iteration: 1, episode: "train-1-0-0" },
      /span .* \(invoke_agent\) is missing/,
    ],
    [
      "add a span to an episode",
      `INSERT INTO spans VALUES (1, 'train-1-0-0', '${"ab".repeat(16)}', '${"cd".repeat(8)}', NULL, 'own', 'OK', 1, 0, 0, 0, '{}')`,
      { code: "span-changed", episode: "train-1-0-0" },
      /1 span was added/,
    ],
    [
      "add a span of an episode that there is not",
      `INSERT INTO spans VALUES (1, 'another', '${"ab".repeat(16)}', '${"cd".repeat(8)}', NULL, 'own', 'OK', 1, 0, 0, 0, '{}')`,
      { code: "span-changed" },
      /the others were added/,
    ],
    [
      "change the report in the store",
      `UPDATE runs SET report = json_set(report, '$.after.violationRate', 0)`,
      { code: "report-changed" },
      /the report in the store: after is .* the stored episodes give/,
    ],
    [
      "change the policies of the stored config",
      `UPDATE runs SET config = json_set(config, '$.kernel.policies', json('[]'))`,
      { code: "policies-changed" },
      /judged by the policies [0-9a-f]{64}; the stored config has/,
    ],
  ])("%s", async (_name, sql, finding, message) => {
    const tampered = run.copy();
    tampered.sql((database) => {
      const before = database.prepare("SELECT total_changes() AS changes").get()?.changes;
      database.exec(sql);
      expect(database.prepare("SELECT total_changes() AS changes").get()?.changes).not.toBe(before);
    });
    await expectFound(tampered, finding, message);
  });
});

describe("whoever changes files of the run directory is found out, when they", () => {
  it("put other weights in place of those that were trained", async () => {
    const tampered = run.copy();
    cpSync(tampered.file("checkpoints/1/model.safetensors"), tampered.file("checkpoints/2/model.safetensors"));
    await expectFound(
      tampered,
      { code: "weights-changed", iteration: 2 },
      /checkpoints\/2: the weights hash to [0-9a-f]{64}, the update of iteration 2 recorded/,
    );
  });

  it("damage the weights", async () => {
    const tampered = run.copy();
    writeFileSync(tampered.file("checkpoints/2/model.safetensors"), "nothing");
    await expectFound(tampered, { code: "weights-changed", iteration: 2 }, /checkpoints\/2: cannot be read/);
  });

  it("put a checkpoint of another iteration there, whole", async () => {
    const tampered = run.copy();
    cpSync(tampered.file("checkpoints/1"), tampered.file("checkpoints/2"), { recursive: true });
    await expectFound(tampered, { code: "weights-tree", iteration: 2 }, /config.json says run run, iteration 1/);
  });

  it("add a checkpoint that no update led to", async () => {
    const tampered = run.copy();
    cpSync(tampered.file("checkpoints/2"), tampered.file("checkpoints/7"), { recursive: true });
    await expectFound(tampered, { code: "weights-changed", iteration: 7 }, /records no update of iteration 7/);
  });

  it.each([
    ["another root", { root: "0".repeat(64) }, /names root 0{64} at size \d+, signed was/],
    ["an older tree", { size: 1 }, /names a tree of 1 records, which was never signed/],
    ["another log", { origin: "faraday.invalid/run/0000000000000000" }, /names the log .*, this one is/],
  ])("have weights name %s", async (_name, change, message) => {
    const tampered = run.copy();
    tampered.json<{ provenance: { tree: object } }>("checkpoints/2/config.json", ({ provenance }) =>
      Object.assign(provenance.tree, change),
    );
    await expectFound(tampered, { code: "weights-tree", iteration: 2 }, message);
  });

  it.each<[string, (report: RunReport) => void, RegExp]>([
    [
      "a measure",
      (report) => Object.assign(report.after ?? {}, { taskAccuracy: 1 }),
      /report.json: after is .* the stored episodes give/,
    ],
    ["a count", (report) => Object.assign(report, { episodes: 1 }), /report.json: episodes is 1, the store gives 128/],
    [
      "the curve",
      ({ curve }) => Object.assign(curve[1]?.metrics ?? {}, { violationRate: 0.75 }),
      /report.json: metric violationRate of iteration 2 is 0.75, the store has/,
    ],
  ])("change %s in report.json", async (_name, change, message) => {
    const tampered = run.copy();
    tampered.json("report.json", change);
    await expectFound(tampered, { code: "report-changed" }, message);
  });

  it("change config.json", async () => {
    const tampered = run.copy();
    tampered.json<{ train: object }>("config.json", ({ train }) => Object.assign(train, { seed: 2 }));
    await expectFound(tampered, { code: "config-changed" }, /is not the config that the store has/);
  });
});

it("what is found is said with its place, a line each", async () => {
  const tampered = run.copy();
  tampered.sql((database) => database.exec(`UPDATE rollouts SET reward = 9 WHERE key = ${firstTrain}`));
  const { exitCode, stdout } = await faraday(["audit", "verify", tampered.directory]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^Run run: \d+ findings\.$/m);
  expect(stdout).toMatch(/episode-changed: .* \[worker \d\.0, record \d+, batch train 1, episode train-1-0-0\]/);
});
