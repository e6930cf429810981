import { beforeAll, describe, expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import type { AuditRecord, AuditSegment } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import type { unpackEpisodes } from "../../src/core/episode-columns.ts";
import { RecordChain } from "../../src/core/record-chain.ts";
import { loadCheckpoint } from "../../src/model/checkpoint.ts";
import { Dispatcher, type FinishedBatch } from "../../src/run/dispatch.ts";
import { loadEnvironment } from "../../src/run/load-environment.ts";
import { batchMetrics } from "../../src/run/measurement.ts";
import { Planner } from "../../src/run/plan.ts";
import { reconcile } from "../../src/run/reconcile.ts";
import { type RolloutResult, shareWeights } from "../../src/run/rollout.ts";
import { RolloutHost } from "../../src/run/rollout-host.ts";
import { actorOf, setupOf } from "../../src/run/rollout-pool.ts";
import { chatterTrainer } from "./chatter.ts";

/** Changes what a real worker has returned. */
type Doctor = (result: RolloutResult) => RolloutResult;

let rollOut: (doctor: Doctor) => Promise<FinishedBatch>;
/** The first episode of the batch that breaks its budget, and its place. */
let victim: string;
let place: number;

beforeAll(async () => {
  const config = await chatterTrainer({ train: { groupsPerTask: 6 } }).trainer.config();
  const environment = await loadEnvironment(config);
  const checkpoint = loadCheckpoint(config.model.checkpoint ?? "");
  const plan = new Planner(environment.tasks, config.train).training(1);
  rollOut = async (doctor) => {
    const host = await RolloutHost.boot(
      setupOf(config, actorOf(config, checkpoint, shareWeights(checkpoint.weights, 1))),
    );
    const run = async (task: (typeof plan.tasks)[number]) => doctor(await host.run(task, 0));
    return new Dispatcher({ run, workers: 1, onFault: ({ reason }) => fail(reason) }).batch(plan);
  };
  const { episodes } = await rollOut((result) => result);
  place = episodes.findIndex(({ summary }) => summary.violations.length > 0);
  victim = episodes[place]?.summary.key.id ?? fail("no episode breaks its budget");
});

test("what came back as it was recorded passes unchanged", async () => {
  const batch = await rollOut((result) => result);
  expect(batch.episodes.some(({ summary }) => summary.violations.length > 0)).toBe(true);
  const summaries = batch.episodes.map(({ summary }) => summary);
  expect(reconcile(batch)).toEqual({
    ...batch,
    recorded: {
      attempts: summaries.length,
      syscalls: summaries.reduce((sum, { stepCount }) => sum + stepCount, 0),
      violations: summaries.reduce((sum, { violations }) => sum + violations.length, 0),
    },
  });
});

describe("an episode is quarantined, and no other, when a worker returns", () => {
  test.each<[string, Doctor, RegExp]>([
    [
      "a syscall that it did not record",
      (result) => withColumn(result, "stepCount", (count) => count + 1),
      /syscalls: (\d) mediated, (?!\1)(\d) recorded of \2 begun, \2 at its recorded end/,
    ],
    [
      "a violation less than it recorded",
      (result) => withViolations(result, (violations) => violations.slice(1)),
      /violations: (\d) mediated, (?!\1)(\d) recorded, \1 penalised, \2 at its recorded end/,
    ],
    [
      "a violation without a penalty",
      (result) => withViolations(result, (violations) => violations.map((each) => ({ ...each, penalty: Number.NaN }))),
      /violations: (\d) mediated, \1 recorded, 0 penalised/,
    ],
    [
      "a smaller cost than its penalties",
      (result) => withColumn(result, "cost", () => 0),
      /cost: 0 returned, \d+ in penalties, \d+ at its recorded end/,
    ],
    [
      "another reward than it recorded",
      (result) => withColumn(result, "reward", () => 7),
      /outcome: completed with reward 7 returned, completed with [\d.]+ recorded/,
    ],
    [
      "records without an outcome that was given",
      (result) => withRecords(result, (record) => !(record.kind === "outcome" && record.step === 1)),
      /syscalls: (\d) mediated, (?!\1)\d recorded of \1 begun, \1 at its recorded end/,
    ],
    [
      "records without the violations in them",
      (result) => withRecords(result, (record) => (record.kind === "outcome" ? { ...record, violations: [] } : true)),
      /violations: (\d) mediated, 0 recorded, \1 penalised, \1 at its recorded end/,
    ],
    ["records without its end", (result) => withRecords(result, ({ kind }) => kind !== "end"), /no end recorded/],
    [
      "no record of it",
      (result) => withRecords(result, () => false),
      /none recorded: worker 1 has no record of the episode/,
    ],
  ])("%s", async (_name, doctor, reason) => {
    const batch = reconcile(await rollOut(doctor));
    const quarantined = batch.episodes.filter(({ summary }) => summary.outcome === "quarantined");
    expect(quarantined.map(({ summary }) => summary.key.id)).toEqual([victim]);
    const [{ summary } = fail("none")] = quarantined;
    expect(summary.error).toEqual({ boundary: "kernel", message: expect.stringMatching(reason) });
    expect(summary).toMatchObject({ success: false, reward: 0, scalarReward: 0 - summary.cost });
    expect(batchMetrics(batch).quarantinedEpisodes).toBe(1);
  });
});

test("where a worker's records cannot be read, all of its episodes are quarantined", async () => {
  const batch = reconcile(
    await rollOut((result) => ({ ...result, audit: { ...result.audit, bytes: result.audit.bytes.fill(0x7b) } })),
  );
  expect(new Set(batch.episodes.map(({ summary }) => summary.outcome))).toEqual(new Set(["quarantined"]));
  expect(batch.episodes[0]?.summary.error?.message).toMatch(/its records cannot be read: .* is not JSON/);
});

function withColumn(
  result: RolloutResult,
  column: "stepCount" | "cost" | "reward",
  change: (value: number) => number,
): RolloutResult {
  const values = result.episodes[column].slice();
  values[place] = change(values[place] as number);
  return { ...result, episodes: { ...result.episodes, [column]: values } };
}

type Violations = ReturnType<typeof unpackEpisodes>[number]["violations"];

function withViolations(result: RolloutResult, change: (violations: Violations) => Violations): RolloutResult {
  const details = result.episodes.details.map((detail) =>
    detail.index === place ? { ...detail, violations: change(detail.violations) } : detail,
  );
  return { ...result, episodes: { ...result.episodes, details } };
}

/** Chained anew, as a worker would that lies from the beginning. */
function withRecords(
  result: RolloutResult,
  change: (record: Extract<AuditRecord, { episode: string }>) => boolean | AuditRecord,
): RolloutResult {
  const { worker, epoch } = result.audit;
  const chain = new RecordChain({ worker, epoch });
  for (const record of recordsOf(result.audit as AuditSegment)) {
    const kept = "episode" in record && record.episode === victim ? change(record) : true;
    if (kept === false) continue;
    const { sequence, previous } = chain;
    chain.append(canonicalJson({ ...(kept === true ? record : kept), sequence, previous }));
  }
  return { ...result, audit: chain.seal() };
}

function fail(message: string): never {
  throw new Error(message);
}
