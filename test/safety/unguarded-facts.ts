import { rowsAsText } from "./as-text.ts";
import { BareDatabase } from "./bare-database.ts";
import { changesBetween, type Hidden, stateOf, type WorldState, writtenBetween } from "./world-diff.ts";

/** What a text did when nobody watched it. */
export interface UnguardedFacts {
  readonly error: string | null;
  /** The rows that it answered, as text. */
  readonly answer: string;
  readonly rowCount: number;
  readonly resultBytes: number;
  readonly steps: number;
  /** Too long, or too large, to be run more than once. */
  readonly isLong: boolean;
  readonly seconds: number;
  readonly rowsChanged: number;
  readonly memoryBytes: number;
  /** `delete loans`, `create stash`, … as rows and schema before and after tell, and as triggers counted. */
  readonly changes: readonly string[];
  /** What is other about the connection: `transaction`, `attach`, names of pragmas. */
  readonly connection: readonly string[];
  /** Whether a transaction around the text survived it. */
  readonly survivesAround: boolean;
  /** Whether the file was written, whatever rows and schema say. */
  readonly wrote: boolean;
  /** What it says when it is run once more. */
  readonly again: string | null;
}

/** What can differ between worlds that are the same in all that may be read. */
export interface Observed {
  readonly error: string | null;
  readonly answer: string;
  readonly written: string;
}

/** A text of more steps or memory is not run again: its length or size is what it is about. */
const longSteps = 300_000;
const largeBytes = 60_000_000;

/** Runs texts unguarded on copies of one database. */
export class Laboratory {
  readonly #image: Uint8Array;
  readonly #worlds = new Map<string, Uint8Array>();
  readonly #states = new Map<Uint8Array, WorldState>();

  constructor(script: string) {
    this.#image = BareDatabase.image(script);
  }

  facts(sql: string): UnguardedFacts {
    using database = new BareDatabase(this.#image);
    database.memoryHighest();
    const connected = connectionOf(database);
    const version = database.version;
    const changed = database.rowsChanged;
    const started = performance.now();
    const ran = database.run(sql);
    const seconds = (performance.now() - started) / 1_000;
    const rowsChanged = database.rowsChanged - changed;
    const memoryBytes = database.memoryHighest();
    const connection = differences(connected, connectionOf(database));
    const wrote = database.version !== version || rowsChanged > 0;
    const isLong = ran.steps > longSteps || memoryBytes > largeBytes || seconds > 1;
    const looks = (wrote || /temp/i.test(sql)) && !isLong;
    const changes = looks ? changesBetween(this.#stateOf(this.#image), stateOf(database)) : [];
    const again = isLong ? null : database.run(sql).error;
    const counted = looks ? this.#counted(sql) : [];
    return {
      ...{ error: ran.error, answer: rowsAsText(ran.rows), rowCount: ran.rowCount, resultBytes: ran.resultBytes },
      ...{ steps: ran.steps, isLong, seconds, rowsChanged, memoryBytes, connection, wrote, again },
      ...{ changes: [...new Set([...changes, ...counted])], survivesAround: isLong || this.#survives(sql) },
    };
  }

  /** The text in the true world and in each that differs only where it may not be read. */
  compared(sql: string, how: { readonly hidden: Hidden; readonly wrote: boolean }): readonly Observed[] {
    const { hidden, wrote } = how;
    const images = [this.#image, ...hidden.worlds.map((script) => this.#world(script))];
    return images.map((image) => {
      using database = new BareDatabase(image);
      const ran = database.run(sql);
      if (database.inTransaction) database.run("COMMIT");
      const written = !wrote ? "" : writtenBetween(this.#stateOf(image), stateOf(database), hidden);
      return { error: ran.error, answer: rowsAsText(ran.rows), written };
    });
  }

  /** Whether the text needs values longer than that. */
  needsValuesOf(sql: string, bytes: number): boolean {
    using database = new BareDatabase(this.#image);
    database.limitValues(bytes);
    return database.run(sql).error === "string or blob too big";
  }

  /** Rows that triggers count, those that REPLACE deletes included. */
  #counted(sql: string): readonly string[] {
    using database = new BareDatabase(this.#image);
    database.rows("PRAGMA recursive_triggers = ON");
    database.rows("CREATE TEMP TABLE counted (change TEXT)");
    for (const table of this.#stateOf(this.#image).tables.keys())
      for (const change of ["insert", "update", "delete"]) plant(database, table, change);
    database.run(sql);
    if (database.inTransaction) database.run("COMMIT");
    // A text may have taken the temporary tables with it.
    return database.run("SELECT DISTINCT change FROM temp.counted").rows.map(([change]) => String(change));
  }

  #survives(sql: string): boolean {
    using database = new BareDatabase(this.#image);
    database.rows("BEGIN");
    database.rows("SAVEPOINT around");
    database.run(sql);
    return database.inTransaction && database.run("RELEASE around").error === null;
  }

  #world(script: string): Uint8Array {
    let image = this.#worlds.get(script);
    if (image === undefined) {
      image = BareDatabase.changed(this.#image, script);
      this.#worlds.set(script, image);
    }
    return image;
  }

  #stateOf(image: Uint8Array): WorldState {
    let state = this.#states.get(image);
    if (state === undefined) {
      using database = new BareDatabase(image);
      state = stateOf(database);
      this.#states.set(image, state);
    }
    return state;
  }
}

function plant(database: BareDatabase, table: string, change: string): void {
  database.run(
    `CREATE TEMP TRIGGER "count ${change} ${table}" AFTER ${change} ON main."${table}"
     BEGIN INSERT INTO counted VALUES ('${change} ${table}'); END`,
  );
}

const switches = [
  ...["analysis_limit", "application_id", "busy_timeout", "cache_size", "defer_foreign_keys", "foreign_keys"],
  ...[
    "hard_heap_limit",
    "ignore_check_constraints",
    "journal_mode",
    "max_page_count",
    "query_only",
    "recursive_triggers",
  ],
  ...["reverse_unordered_selects", "temp_store", "threads", "trusted_schema", "user_version", "writable_schema"],
];

function connectionOf(database: BareDatabase): ReadonlyMap<string, string> {
  const values = switches.map((name) => [`pragma ${name}`, rowsAsText(database.run(`PRAGMA ${name}`).rows)] as const);
  const [like] = database.run("SELECT 'a' LIKE 'A'").rows;
  return new Map([
    ...values,
    ["pragma case_sensitive_like", String(like)],
    ["transaction", String(database.inTransaction)],
    [
      "attach",
      rowsAsText(database.run("SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')").rows),
    ],
  ]);
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  return [...after].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);
}
