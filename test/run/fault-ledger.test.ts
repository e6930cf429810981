import { expect, test } from "vitest";
import { retryOptions } from "../../src/config/fault-options.ts";
import { WorkerFault } from "../../src/pool/worker-fault.ts";
import { FaultLedger } from "../../src/run/fault-ledger.ts";

const fault = new WorkerFault("died", new Error("it fell over"));

test("a run that goes on counts each task's faults from where they were, and keeps those quarantined that were", () => {
  const before = new FaultLedger(retryOptions.parse({ taskFaults: 2 }));
  for (const task of ["once", "twice", "twice"]) before.taskFailed(task, fault);
  const ledger = new FaultLedger(before.retries);
  ledger.restore(before.faultsByTask);
  expect(ledger.quarantined).toEqual(["twice"]);
  expect(ledger.taskFailed("once", fault)).toBe(true);
  expect(ledger.faultsByTask).toEqual({ once: 2, twice: 2 });
});

test("where quarantine stops the run, one that goes on tries the task again, and the next fault stops it", () => {
  const ledger = new FaultLedger(retryOptions.parse({ taskFaults: 2, onQuarantine: "stop" }));
  ledger.restore({ twice: 2 });
  expect(ledger.isQuarantined("twice")).toBe(false);
  expect(() => ledger.taskFailed("twice", fault)).toThrow(
    "task twice ended 3 workers, and retries.onQuarantine is stop; the last: a worker failed: it fell over",
  );
});
