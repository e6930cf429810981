import type { SqlTrust } from "../kernel/drivers/sql/sql-trust.ts";
import type { SqlGrants } from "./sql-grants.ts";

/** Without one of these words no text changes a connection: SQL has no other way to write them. */
const connectionWords = /pragma|temp|begin|savepoint|commit|end|release|rollback/i;

/** What belongs to a connection and not to the database: by what it is, its value. */
type ConnectionState = ReadonlyMap<string, string>;

/** Watches one session's connection for what a text left on it: open transactions, switches that were set, temporary objects. */
export class ConnectionWatch {
  readonly #trust: SqlTrust;
  #state: ConnectionState;

  /** The session must not have been used. */
  constructor(trust: SqlTrust) {
    this.#trust = trust;
    this.#state = stateAtFirst(trust);
  }

  /** What differs since it was last asked, as names of pragmas, `transaction` and names of temporary objects. */
  changesAfter(sql: string): readonly ConnectionChange[] {
    if (!connectionWords.test(sql)) return [];
    const before = this.#state;
    this.#state = stateOf(this.#trust);
    return [...this.#state]
      .filter(([name, value]) => before.get(name) !== value)
      .map(([name, value]) => ({ name, isOpen: value === "open", isTemporary: value === "temporary" }));
  }
}

export interface ConnectionChange {
  readonly name: string;
  readonly isOpen: boolean;
  readonly isTemporary: boolean;
}

/** Those of the changes that are not granted, in words. */
export function describeConnectionChanges(changes: readonly ConnectionChange[], grants: SqlGrants): readonly string[] {
  const found: string[] = [];
  for (const { name, isOpen, isTemporary } of changes) {
    if (name === "transaction" && isOpen) found.push("a transaction was left open");
    if (isTemporary && !grants.permitsSchemaChange("CREATE")) found.push(`temporary ${name} was created`);
    if (name !== "transaction" && !isTemporary && !grants.permitsPragma(name)) found.push(`${name} was set`);
  }
  return found;
}

/** Those that tell their value; `schema_version` and `data_version` belong to the database. */
const switches = [
  ...[
    "analysis_limit",
    "application_id",
    "auto_vacuum",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
  ],
  ...["cell_size_check", "checkpoint_fullfsync", "defer_foreign_keys", "foreign_keys", "fullfsync", "hard_heap_limit"],
  ...["ignore_check_constraints", "journal_mode", "journal_size_limit", "legacy_alter_table", "locking_mode"],
  ...["max_page_count", "query_only", "read_uncommitted", "recursive_triggers", "reverse_unordered_selects"],
  ...["secure_delete", "soft_heap_limit", "synchronous", "temp_store", "threads", "trusted_schema", "user_version"],
  ...["writable_schema"],
] as const;

/** Every session begins on the same state. */
const firstStates = new WeakMap<Uint8Array, ConnectionState>();

function stateAtFirst(trust: SqlTrust): ConnectionState {
  const state = firstStates.get(trust.pristine) ?? stateOf(trust);
  firstStates.set(trust.pristine, state);
  return state;
}

function stateOf(trust: SqlTrust): ConnectionState {
  const state = new Map<string, string>([["transaction", trust.inTransaction() ? "open" : "none"]]);
  for (const name of switches) state.set(name, String(trust.look(`PRAGMA ${name}`).rows[0]?.[0]));
  for (const [type, name] of trust.look("SELECT type, name FROM sqlite_temp_schema").rows)
    state.set(`${type} ${name}`, "temporary");
  return state;
}
