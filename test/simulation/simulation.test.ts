import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { brokenInvariants } from "./invariants.ts";
import { simulateTime } from "./simulated-time.ts";
import { prepareSimulations, removeSimulation, simulate, simulationFolder } from "./simulation.ts";

/** `SIM_SEED=7` replays one seed, `SIM_RUNS=20000` tries more of them. */
const { SIM_SEED: seed, SIM_RUNS: runs = "1000" } = process.env;
const first = Number(seed ?? 1);
const count = seed === undefined ? Number(runs) : 1;

beforeAll(prepareSimulations);
afterAll(() => rmSync(simulationFolder, { recursive: true, force: true }));

test(
  `${count} trainings in which something goes wrong, from seed ${first}`,
  async () => {
    for (let current = first; current < first + count; current++) {
      const problems = await problemsOf(current);
      expect(problems, `replay with SIM_SEED=${current} npx vitest run test/simulation`).toEqual([]);
    }
  },
  count * 10_000,
);

async function problemsOf(current: number): Promise<string[]> {
  const unhandled: string[] = [];
  const onUnhandled = (reason: unknown) => void unhandled.push(`nobody handles a rejection: ${reason}`);
  process.on("unhandledRejection", onUnhandled);
  using _time = simulateTime();
  try {
    const simulation = await simulate(current);
    const broken = await brokenInvariants(simulation);
    if (process.env.SIM_SEED !== undefined)
      console.log(simulation.ends, Object.fromEntries(simulation.scenario.happened));
    removeSimulation(simulation);
    return [...broken, ...unhandled];
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error), ...unhandled];
  } finally {
    process.off("unhandledRejection", onUnhandled);
  }
}
