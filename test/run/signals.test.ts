import { describe, expect, test } from "vitest";
import { recordsOf } from "../../src/audit/audit-records.ts";
import { isolations } from "../../src/config/config-schema.ts";
import type { AgentSignal } from "../../src/core/audit.ts";
import { openStore, type RunEvent, type Trainer } from "../../src/index.ts";
import { Planner } from "../../src/run/plan.ts";
import { type ChatterOptions, type ChatterRun, chatterTrainer, storedRun } from "./chatter.ts";
import chatter from "./chatter-env.ts";

const train = { iterations: 1, groupsPerBatch: 9, groupSize: 2, groupsPerTask: 3, evalEpisodes: 3 };

/** Runs with a hand on the trainer as soon as episodes can be sent signals. */
async function runSignalled(
  options: ChatterOptions,
  started: (send: (episode: string, signal: AgentSignal) => void, trainer: Trainer) => void,
): Promise<ChatterRun & { readonly events: readonly RunEvent[] }> {
  const events: RunEvent[] = [];
  const { trainer, out } = chatterTrainer({
    train,
    ...options,
    onEvent(event) {
      events.push(event);
      if (event.type === "run-start") started((episode, signal) => trainer.signal(episode, signal), trainer);
    },
  });
  const report = await trainer.train();
  return { report, out, events, episodes: (await storedRun(out)).episodes };
}

async function recordsByEpisode({ out, report }: ChatterRun) {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const records = (await store.audit(report.run)).flatMap(recordsOf);
  return Map.groupBy(records, (record) => ("episode" in record ? record.episode : ""));
}

/** The training episodes of the task that hangs. */
async function hangingEpisodes(): Promise<string[]> {
  const { tasks } = await chatter.load({ fault: "none", tasks: 12, mark: "" }, { baseDir: "" });
  const options = { seed: 1, temperature: 1, evalTemperature: 1, ...train };
  const keys = new Planner(tasks, options).training(1).tasks.flatMap((task) => task.keys);
  return keys.filter((key) => key.task === "talk-0").map((key) => key.id);
}

describe.each(isolations)("isolation: %s", (isolation) => {
  test("SIGKILL ends an episode whose worker is in an endless loop, and the others of its task are run again", async () => {
    const hanging = await hangingEpisodes();
    expect(hanging).toHaveLength(train.groupSize);
    const { report, episodes } = await runSignalled({ fault: "hang", isolation }, (send) => {
      // Not before they hang: one that has not begun would be kept from it.
      for (const [index, id] of hanging.entries()) setTimeout(() => send(id, "SIGKILL"), 4_000 + 500 * index);
    });
    expect(report.status).toBe("succeeded");
    const outcomes = new Map(episodes.map(({ key, outcome }) => [key.id.split("~")[0], outcome]));
    for (const id of hanging) expect(outcomes.get(id)).toBe("killed");
    expect([...outcomes].filter(([, outcome]) => outcome === "killed").map(([id]) => id)).toEqual(hanging);
    expect(episodes.filter(({ key }) => key.phase === "train")).toHaveLength(train.groupsPerBatch * train.groupSize);
  });

  test("an episode that was killed before it began never begins", async () => {
    const run = await runSignalled({ isolation }, (send) => send("train-1-2-1", "SIGKILL"));
    expect(run.report.status).toBe("succeeded");
    const killed = run.episodes.filter(({ outcome }) => outcome === "killed");
    expect(killed.map(({ key, stepCount }) => [key.id, stepCount])).toEqual([["train-1-2-1", 0]]);
    expect((await recordsByEpisode(run)).get("train-1-2-1")).toMatchObject([
      { kind: "signal", signal: "SIGKILL", worker: 0 },
    ]);
  });

  test("SIGSTOP holds an episode at its next syscall until SIGCONT; SIGTERM ends one there; all is recorded", async () => {
    const run = await runSignalled({ isolation }, (send) => {
      send("train-1-0-0", "SIGSTOP");
      send("train-1-4-1", "SIGTERM");
      setTimeout(() => send("train-1-0-0", "SIGCONT"), 3_000);
    });
    expect(run.report.status).toBe("succeeded");
    const records = await recordsByEpisode(run);
    const kinds = (id: string) =>
      (records.get(id) ?? []).map((record) => (record.kind === "signal" ? record.signal : record.kind));
    expect(kinds("train-1-0-0").slice(0, 5)).toEqual(["start", "SIGSTOP", "SIGCONT", "intent", "outcome"]);
    expect(kinds("train-1-4-1")).toEqual(["start", "SIGTERM", "intent", "outcome", "end"]);
    const outcomes = new Map(run.episodes.map(({ key, outcome }) => [key.id, outcome]));
    expect(outcomes.get("train-1-0-0")).toBe("completed");
    expect(outcomes.get("train-1-4-1")).toBe("stopped");
    expect(run.events.filter(({ type }) => type === "signal")).toHaveLength(3);
  });
});

test("without a run, there is nobody to take a signal", () => {
  const { trainer } = chatterTrainer();
  expect(() => trainer.signal("train-1-0-0", "SIGTERM")).toThrow("no run goes on");
});
