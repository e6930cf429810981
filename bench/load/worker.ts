import { parentPort, workerData } from "node:worker_threads";
import { Connection } from "./connection.ts";
import type { LoadRun } from "./load.ts";
import { workloads } from "./workloads.ts";

const connections: Connection[] = [];

parentPort?.on("message", async (run: LoadRun) => {
  try {
    parentPort?.postMessage({ ms: await load(run) });
  } catch (error) {
    parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
  }
});

/** Each connection takes the next turn as soon as its last one is done. */
async function load({ workload, turns, inFlight }: LoadRun): Promise<number> {
  while (connections.length < inFlight) connections.push(await Connection.open(String(workerData)));
  const [first] = connections;
  if (first === undefined) return 0;
  const turn = await workloads[workload](first, turns);
  let left = turns;
  const started = performance.now();
  await Promise.all(
    connections.slice(0, inFlight).map(async (connection) => {
      while (left-- > 0) await turn(connection);
    }),
  );
  return performance.now() - started;
}
