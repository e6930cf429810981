import type { SqlEffect, SqlLimits, SqlRules } from "../drivers/sql/sql-rules.ts";

/** Tables that an SQL text read or wrote, in lower case. */
export interface Touched {
  readonly read: ReadonlySet<string>;
  readonly written: ReadonlySet<string>;
}

const writes: readonly SqlEffect[] = ["INSERT", "UPDATE", "DELETE"];
const { POSITIVE_INFINITY: endless } = Number;
const unlimited: SqlLimits = Object.freeze({
  ...{ rowsChanged: endless, rowsReturned: endless, vmSteps: endless, sqlBytes: endless },
  ...{ valueBytes: endless, resultBytes: endless, memoryBytes: endless },
});

/**
 * Listens to what the `sql` driver asks about a text, and objects to nothing: views, triggers and cascades count with the
 * tables behind them. A write counts where the text declares it, changed rows or not.
 */
export class TouchedTables {
  readonly rules: SqlRules;
  readonly #read = new Set<string>();
  readonly #written = new Set<string>();
  /** By text: the driver asks nothing about a text that it has kept compiled. */
  readonly #known = new Map<string, Touched>();

  constructor() {
    const nothing = () => null;
    const reads = (table: string) => {
      this.#read.add(table);
      return null;
    };
    this.rules = Object.freeze({
      shadow: true,
      limits: unlimited,
      read: reads,
      readRaw: reads,
      effect: (effect: SqlEffect, table: string) => {
        if (writes.includes(effect)) this.#written.add(table);
        return null;
      },
      pragma: nothing,
      attempt: nothing,
      tamper: nothing,
      exceeded: () => {
        throw new Error("what has no limit cannot be exceeded");
      },
    });
  }

  /** What was asked since the last call, which was about this text, and whatever was asked about the same text before. */
  take(sql: string): Touched {
    const known = this.#known.get(sql);
    const read = new Set([...(known?.read ?? []), ...this.#read]);
    const written = new Set([...(known?.written ?? []), ...this.#written]);
    const touched = { read, written };
    this.#known.set(sql, touched);
    this.#read.clear();
    this.#written.clear();
    return touched;
  }
}
