import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { isolations } from "../../src/config/config-schema.ts";
import { FaradayError, openStore } from "../../src/index.ts";
import type { StoredEpisode } from "../../src/store/lightning-store.ts";
import { type ChatterRun, chatterTrain, chatterTrainer, runChatter, storedRun } from "./chatter.ts";

const { groupsPerBatch, groupSize, evalEpisodes } = chatterTrain;
/** Enough that every training task comes at least once. */
const train = { iterations: 2 };

test("a task that a worker cannot do is done without the episodes that it cannot do", async () => {
  const run = await runChatter({ fault: "forget", train });
  expect(run.report.status).toBe("succeeded");
  expectComplete(run);
  const failed = run.episodes.filter((episode) => episode.outcome === "failed");
  expect(failed.length).toBeGreaterThan(0);
  for (const { key, error, attempt, advantage } of failed) {
    expect({ task: key.task, advantage }).toEqual({ task: "talk-0", advantage: 0 });
    expect(attempt).toBeGreaterThan(1);
    expect(error?.message).toMatch(/the environment has no task talk-0 in this thread/);
  }
  await expectSoundAudit(run);
});

test.each(isolations)(
  "a worker that dies after its task, or within the next one, is replaced, and nothing is lost: %s",
  async (isolation) => {
    const run = await runChatter({ fault: "exit-later", train, isolation });
    expect(run.report.status).toBe("succeeded");
    expectComplete(run);
    expect(run.episodes.filter((episode) => episode.outcome === "failed")).toEqual([]);
    expect(Math.max(...run.episodes.map((episode) => episode.worker))).toBeGreaterThan(2);
    await expectSoundAudit(run);
  },
);

test("what an environment throws in an episode fails that episode alone", async () => {
  const run = await runChatter({ fault: "throw", train });
  expect(run.report.status).toBe("succeeded");
  expectComplete(run);
  const failed = run.episodes.filter((episode) => episode.outcome === "failed");
  expect(failed.length).toBeGreaterThan(0);
  for (const { key, error, attempt } of failed) {
    expect({ task: key.task, error, attempt }).toEqual({
      task: "talk-0",
      error: { boundary: "environment", message: "the chat broke" },
      attempt: 1,
    });
  }
  await expectSoundAudit(run);
});

describe.each(isolations)(
  "where every worker fails when it boots, the run ends with one error after some tries: %s",
  (isolation) => {
    test.each([
      ["load-exit", /worker exited with code: 9/],
      ["load-throw", /the chat cannot be loaded/],
      ["load-loop", /boot: not done within its deadline of 3000 ms/],
    ] as const)("%s", async (fault, message) => {
      const { trainer, out } = chatterTrainer({
        ...{ fault, isolation },
        train: { evalEpisodes: 400 },
        retries: { boots: 2 },
        ...(fault === "load-loop" ? { deadlines: { bootMs: 3_000 } } : {}),
      });
      const error = await trainer.train().then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(FaradayError);
      expect(error).toMatchObject({ exitCode: 1, message: expect.stringMatching(message) });
      expect(await storedRun(out)).toMatchObject({ status: "failed", report: { status: "failed" }, episodes: [] });
      expect(JSON.parse(readFileSync(join(out, "report.json"), "utf8"))).toMatchObject({ status: "failed" });
    });
  },
);

/** Every planned episode is in the store once, in a terminal state. */
function expectComplete({ episodes, report }: ChatterRun): void {
  const places = (phase: string) =>
    episodes
      .filter((episode) => episode.key.phase === phase)
      .map(({ key }) => `${key.iteration}-${key.group}-${key.index}`)
      .sort();
  const batch = Array.from({ length: groupsPerBatch * groupSize }, (_, place) => place);
  const planned = Array.from({ length: report.iterations }, (_, index) =>
    batch.map((place) => `${index + 1}-${Math.floor(place / groupSize)}-${place % groupSize}`),
  ).flat();
  expect(places("train")).toEqual(planned.sort());
  for (const phase of ["ungoverned", "before", "after"] as const) {
    expect(new Set(places(phase)).size).toBe(evalEpisodes);
    expect(places(phase)).toHaveLength(evalEpisodes);
  }
  expect(episodes.every((episode) => ["completed", "failed"].includes(episode.outcome))).toBe(true);
}

/** Every episode that came back has its records from start to end, and the same violations there as in the store. */
async function expectSoundAudit({ out, report, episodes }: ChatterRun): Promise<void> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const records = (await store.audit(report.run)).flatMap(recordsOf);
  const byEpisode = Map.groupBy(records, (record) => ("episode" in record ? record.episode : ""));
  for (const episode of episodes) {
    const own = byEpisode.get(episode.key.id) ?? [];
    if (lostWithWorker(episode)) continue;
    expect(own.map((record) => record.kind)).toEqual([
      "start",
      ...Array.from({ length: episode.stepCount }, () => ["intent", "outcome"]).flat(),
      "end",
    ]);
    const recorded = own.flatMap((record) => (record.kind === "outcome" ? record.violations : []));
    expect(recorded).toHaveLength(episode.violations.length);
  }
  const started = records.filter((record) => record.kind === "start").length;
  const ended = records.filter((record) => record.kind === "end").length;
  expect(ended).toBe(started);
}

function lostWithWorker({ worker }: StoredEpisode): boolean {
  return worker === 0;
}
