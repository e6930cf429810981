import type { SqlEffect } from "../kernel/drivers/sql/sql-rules.ts";
import type { SQLPolicySettings } from "../kernel/policies/sql-policy.ts";
import type { ScrambledWorld } from "./scramble.ts";
import type { WorldFacts } from "./world-facts.ts";

/** What is worth keeping between episodes under the same settings: all of it can be made again. */
interface Memory {
  /** What can be seen of a file. */
  readonly facts: WeakMap<Uint8Array, WorldFacts>;
  /** Worlds in which everything hidden is changed, by the file that they were made of; `null` where nothing is hidden. */
  readonly scrambled: WeakMap<Uint8Array, ScrambledWorld | null>;
  /** What was found of a first step, by the pristine file and the step. */
  readonly found: WeakMap<Uint8Array, Map<string, readonly string[]>>;
}
const memories = new WeakMap<SQLPolicySettings, Memory>();

type RowChange = "insert" | "update" | "delete";

/**
 * What an SQL policy grants, read from its settings a second time and on purpose: the oracle must not share the reading
 * that the kernel enforces.
 */
export class SqlGrants {
  readonly #settings: SQLPolicySettings;
  readonly memory: Memory;

  constructor(settings: SQLPolicySettings) {
    this.#settings = settings;
    this.memory = memories.get(settings) ?? { facts: new WeakMap(), scrambled: new WeakMap(), found: new WeakMap() };
    memories.set(settings, this.memory);
  }

  get rowsChangedMax(): number {
    return this.#settings.limits.rowsChanged ?? Number.POSITIVE_INFINITY;
  }

  get rowsReturnedMax(): number {
    return this.#settings.limits.rowsReturned;
  }

  /** Whether there is anything that may not be read. */
  get restrictsReads(): boolean {
    return this.#settings.tables !== undefined;
  }

  permitsPragma(pragma: string): boolean {
    return this.#settings.pragmas.some((name) => name.toLowerCase() === pragma) && !this.#denies("PRAGMA");
  }

  permitsSchemaChange(effect: "CREATE" | "DROP" | "ALTER"): boolean {
    return this.#settings.tables === undefined && !this.#denies(effect);
  }

  permitsRows(change: RowChange, table: string): boolean {
    if (this.#denies(change.toUpperCase() as SqlEffect)) return false;
    return this.#settings.tables === undefined || this.#grant(table)?.[change] === true;
  }

  permitsReading(table: string, column: string): boolean {
    if (this.#settings.tables === undefined) return true;
    const select = this.#grant(table)?.select;
    if (typeof select !== "object") return select === true;
    return select.except.every((name) => name.toLowerCase() !== column.toLowerCase());
  }

  #denies(effect: SqlEffect): boolean {
    return this.#settings.deny.includes(effect);
  }

  #grant(table: string) {
    const tables = Object.entries(this.#settings.tables ?? {});
    const named = tables.find(([name]) => sameTable(name.toLowerCase(), table.toLowerCase()));
    return (named ?? tables.find(([name]) => name === "*"))?.[1];
  }
}

/** The schema table has two names. */
function sameTable(a: string, b: string): boolean {
  return a === b || (schemaNames.has(a) && schemaNames.has(b));
}
const schemaNames = new Set(["sqlite_master", "sqlite_schema"]);
