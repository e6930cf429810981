import { ProcessPool } from "../../src/pool/process-pool.ts";
import type { Setup, WorkerTask } from "./worker.ts";

/** Says which process its worker is, and has that loop. */
const setup: Setup = { boots: "/dev/null", bootsMax: 1, boot: "throw", shared: new SharedArrayBuffer(40) };
const options = { file: new URL("worker.ts", import.meta.url), workers: 1, setup, tasksPerWorker: 2 };
const pool = new ProcessPool<WorkerTask, string>(options);
const worker = await pool.run({ task: "worker" });
const looping = pool.run({ task: "loop" }, { onAssigned: () => setTimeout(() => process.send?.(worker), 200) });
await looping;
