import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Fault, faults } from "./faults.ts";
import { brokenInvariants } from "./invariants.ts";
import { Scenario } from "./scenario.ts";
import { simulateTime } from "./simulated-time.ts";
import { prepareSimulations, removeSimulation, simulate, simulationFolder } from "./simulation.ts";

/** `SIM_SEED=7` replays one seed, `SIM_RUNS=1000` tries more of them, `SIM_FROM=1001` others. */
const { SIM_SEED: seed, SIM_RUNS: runs = "50", SIM_FROM: from = "1" } = process.env;
const first = Number(seed ?? from);
const isReplay = seed !== undefined;
const count = isReplay ? 1 : Number(runs);
/** Seeds after which each fault should have happened. */
const enoughForAll = 500;
const happened = new Set<Fault>();
/** Seeds that fail, after which no more are tried. */
const failingMax = 5;

beforeAll(prepareSimulations);
afterAll(() => rmSync(simulationFolder, { recursive: true, force: true }));

test(
  `${count} trainings in which something goes wrong, from seed ${first}`,
  async () => {
    const failing: string[] = [];
    for (let current = first; current < first + count && failing.length < failingMax; current++) {
      const problems = await problemsOf(current);
      if (problems.length === 0) continue;
      failing.push([`SIM_SEED=${current} npx vitest run test/simulation`, ...problems].join("\n  "));
    }
    expect(failing.join("\n")).toBe("");
    if (count >= enoughForAll) expect([...happened].sort()).toEqual([...faults].sort());
  },
  60_000 + count * 1000,
);

test("a seed goes the same way each time", async () => {
  for (const current of [first, first + 1, first + 2]) expect(await traceOf(current)).toEqual(await traceOf(current));
});

test("a worker that never boots ends the run with the cause", async () => {
  using _time = simulateTime();
  const scenario = new Scenario(first, new Map([["boot-throws", 1]]));
  const { ends } = await simulate(scenario, () => {});
  const failed = ends.filter(({ how }) => how === "failed");
  expect(failed.length).toBeGreaterThan(0);
  for (const { message } of failed) expect(message).toMatch(/could not boot.*: no memory for the environment$/);
});

test.each<Fault>(["reply-is-none", "reply-is-lost", "reply-has-no-records"])(
  "a run goes on without a worker whose records were lost, and its log verifies: %s",
  async (fault) => {
    let count = 0;
    for (let current = first; current < first + 6; current++) {
      using _time = simulateTime();
      const scenario = new Scenario(current, new Map([[fault, 0.1]]));
      const simulation = await simulate(scenario, () => {});
      // Among them is that no process fails for a segment that does not follow on.
      expect(await brokenInvariants(simulation)).toEqual([]);
      removeSimulation(simulation);
      count += scenario.happened.get(fault) ?? 0;
    }
    expect(count).toBeGreaterThan(0);
  },
);

async function traceOf(current: number): Promise<string> {
  using _time = simulateTime();
  const trace: unknown[] = [];
  await simulate(new Scenario(current), (what) => trace.push(Date.now(), what));
  // The run directory, and with it the log, has a name of its own each time.
  const isNamed = (name: string) => name === "origin" || name === "root";
  return JSON.stringify(trace, (name, value) => (isNamed(name) ? "" : value)).replaceAll(/\/\d+-\w+\//gu, "/");
}

async function problemsOf(current: number): Promise<string[]> {
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(`nobody handles a rejection: ${reason}`);
  process.on("unhandledRejection", onUnhandled);
  using _time = simulateTime();
  const scenario = new Scenario(current);
  if (isReplay) console.log(scenario.description);
  try {
    const simulation = await simulate(scenario, (what) => {
      if (isReplay) console.log(Date.now(), what);
    });
    const broken = await brokenInvariants(simulation);
    for (const fault of scenario.happened.keys()) happened.add(fault);
    removeSimulation(simulation);
    return [...broken, ...unhandled];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error), ...unhandled];
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
}
