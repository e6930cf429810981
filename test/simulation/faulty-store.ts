import { FaradayError } from "../../src/core/errors.ts";
import type { BatchRecord, LightningStore } from "../../src/store/lightning-store.ts";
import type { Scenario } from "./scenario.ts";
import { never, type SimulatedProcess } from "./simulated-time.ts";

/** The store as one simulated process has it: slow, busy, full, or lost before or after it has committed. A process that is no more hears nothing. */
export function faultyStore(
  store: LightningStore,
  scenario: Pick<Scenario, "chance" | "config" | "happens" | "kills">,
  process: SimulatedProcess,
): LightningStore {
  const write = async <Result>(what: string, commit: () => Promise<Result>): Promise<Result> => {
    await process.pause(1 + scenario.chance.between("store-latency", 0, 20));
    if (scenario.happens("store-slow", what)) await process.pause(scenario.config.deadlines.storeMs / 2);
    if (scenario.happens("store-hangs", what)) await never();
    if (scenario.happens("store-busy", what)) throw refused(5, "database is locked");
    if (scenario.happens("store-full", what)) throw refused(13, "database or disk is full");
    const result = await process.real(commit());
    await process.pause(1);
    if (scenario.happens("store-loses-answer", what)) throw new FaradayError("store: connection lost");
    return result;
  };
  const written: Partial<LightningStore> = {
    storeBatch: (batch: BatchRecord) => {
      scenario.kills.check(batch.episodes);
      return write(`${batch.phase}`, () => store.storeBatch(batch));
    },
    storeWeights: (weights) => write("weights", () => store.storeWeights(weights)),
    beginRun: (run) => write("begin", () => store.beginRun(run)),
    resumeRun: (run) => write("resume", () => store.resumeRun(run)),
    endRun: (run) => write("end", () => store.endRun(run)),
    // The next process opens it again.
    [Symbol.asyncDispose]: async () => {},
  };
  const read = ["runs", "iterations", "violations", "episodes", "checkpoints"] as const;
  const reads = read.map((name) => [
    name,
    (...args: readonly never[]) =>
      process.real((store[name] as (...args: readonly never[]) => Promise<unknown>)(...args)),
  ]);
  return Object.assign(Object.create(store), Object.fromEntries(reads), written, {
    async *auditTree(run: string) {
      yield* await process.real(gathered(store.auditTree(run)));
    },
  });
}

/** What SQLite says, as {@link LightningStore} passes it on. */
function refused(errcode: number, message: string): FaradayError {
  return new FaradayError(`store: ${message}`, { cause: Object.assign(new Error(message), { errcode }) });
}

async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
