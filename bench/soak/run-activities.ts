import { rmSync } from "node:fs";
import { join } from "node:path";
import { KernelSpace, Trainer } from "../../src/index.ts";
import type { ShippedAgent } from "../shipped-agent.ts";
import { type Activity, settlingBytes } from "./soak.ts";

/** Small batches of one run after another, counted while it goes on: one pool, one store, one log. */
export function batches(agent: ShippedAgent, folder: string, count: number): Activity {
  return {
    ...{ name: "batches within one run", count, bytesMax: settlingBytes, within: true },
    work: (times, each) => train(agent, { folder, iterations: times, each }),
  };
}

export function runs(agent: ShippedAgent, folder: string, count: number): Activity {
  return {
    ...{ name: "runs, each with its pool and its store", count, bytesMax: settlingBytes },
    work: async (times) => {
      for (let index = 0; index < times; index++) await train(agent, { folder, iterations: 1 });
    },
  };
}

async function train(
  { config }: ShippedAgent,
  { folder, iterations, each }: { readonly folder: string; readonly iterations: number; readonly each?: () => void },
): Promise<void> {
  const out = join(folder, "run");
  const trainer = new Trainer({
    ...{ kernel: new KernelSpace(config.kernel), workers: 1, out },
    train: { iterations, groupsPerBatch: 2, groupSize: 4, evalEpisodes: 4, checkpointEvery: iterations },
    onEvent: ({ type }) => type === "iteration-end" && each?.(),
  });
  const { status } = await trainer.train();
  if (status !== "succeeded") throw new Error(`a run of the soak ended as ${status}`);
  rmSync(out, { recursive: true });
}
