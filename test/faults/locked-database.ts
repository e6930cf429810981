import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** Another connection, in a thread of its own, that writes to a database for so long. */
export async function holdWriteLock(file: string, milliseconds: number): Promise<void> {
  const holder = new Worker(
    `const { workerData: { file, milliseconds } } = require("node:worker_threads");
     const { DatabaseSync } = require("node:sqlite");
     const database = new DatabaseSync(file, { timeout: 5000 });
     database.exec("BEGIN IMMEDIATE");
     Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
     database.exec("ROLLBACK");
     database.close();`,
    { eval: true, workerData: { file, milliseconds }, execArgv: [] },
  );
  await once(holder, "exit");
}
