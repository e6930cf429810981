import { Random } from "../../../core/random.ts";
import { configOption } from "./sql-codes.ts";
import { SqlConnection } from "./sql-connection.ts";
import { progressSteps, type SqlEngine, type SqlObserver } from "./sql-engine.ts";
import type { SqlTwin } from "./sql-trust.ts";

const stepsMax = 40_000_000;
const twinSeed = 1;

/** A world of the oracle's own: no policy, no session, no observer but a bound on its steps. */
export function createTwin(engine: SqlEngine, file: Uint8Array): SqlTwin {
  const connection = new SqlConnection(engine, file);
  // Without it, a row that REPLACE deletes fires no trigger, and the oracle's own would miss it.
  connection.run("PRAGMA recursive_triggers = ON");
  const bounded = <T>(run: () => T): T => {
    engine.observer = new StepBound();
    try {
      return run();
    } finally {
      engine.observer = null;
    }
  };
  return {
    load: (other) => {
      if (connection.inTransaction) connection.run("ROLLBACK");
      connection.load(other);
    },
    snapshot: () => connection.file.slice(),
    exec: (sql) => void bounded(() => connection.run(sql)),
    query: (sql) => bounded(() => connection.run(sql)),
    enforce: (on) => {
      connection.set(configOption.triggers, on);
      connection.set(configOption.foreignKeys, on);
      connection.run(`PRAGMA ignore_check_constraints = ${on ? "OFF" : "ON"}`);
    },
    [Symbol.dispose]: () => connection[Symbol.dispose](),
  };
}

/** Ends a runaway text, and gives every text the same random numbers. */
class StepBound implements SqlObserver {
  readonly changesBefore = 0;
  readonly #random = new Random(twinSeed);
  #steps = 0;

  authorize(): number {
    return 0;
  }

  change(): void {}

  progress(): boolean {
    this.#steps += progressSteps;
    return this.#steps > stepsMax;
  }

  spend(steps: number): boolean {
    this.#steps += steps;
    return this.#steps <= stepsMax;
  }

  random(): number {
    return this.#random.next() * 0x1_0000_0000;
  }
}
