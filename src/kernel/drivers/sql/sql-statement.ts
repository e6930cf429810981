import { namesIn } from "./sql-lexer.ts";
import type { SqlSchema } from "./sql-schema.ts";

/** What a statement that is kept compiled must restore before it runs again. */
export interface StatementFacts {
  /** The table that its own verb changes, and that verb as the authorizer's code. */
  readonly target: string | null;
  readonly verb: number;
}

/** What is known of the statement under way; those who judge its reads, writes and rows share it. */
export class SqlStatement {
  schema: SqlSchema;
  /** Whether it is compiled and runs: whatever is declared from then on, the engine declares for itself. */
  running = false;
  /** How many things it declared. */
  declared = 0;
  isPragma = false;
  isQuery = false;
  isAlter = false;
  isCreateIndex = false;
  isVirtualDdl = false;
  /** Whether it changes the schema. */
  isDdl = false;
  /** The object that it drops. */
  dropped: string | null = null;
  target: string | null = null;
  verb = 0;
  writesVirtual = false;
  replacesVirtual = false;
  /** Effects on virtual tables that its triggers declare, as `UPDATE table`. */
  readonly byTrigger = new Set<string>();
  #sql = "";
  #names: ReadonlySet<string> | null = null;

  constructor(schema: SqlSchema) {
    this.schema = schema;
  }

  beginText(sql: string): void {
    this.#sql = sql;
    this.#names = null;
  }

  begin(): void {
    this.running = false;
    this.declared = 0;
    this.isPragma = false;
    this.isQuery = false;
    this.isAlter = false;
    this.isCreateIndex = false;
    this.isVirtualDdl = false;
    this.isDdl = false;
    this.dropped = null;
    this.target = null;
    this.verb = 0;
    this.writesVirtual = false;
    this.replacesVirtual = false;
    if (this.byTrigger.size > 0) this.byTrigger.clear();
  }

  get facts(): StatementFacts {
    return { target: this.target, verb: this.verb };
  }

  resume(facts: StatementFacts): void {
    this.begin();
    this.target = facts.target;
    this.verb = facts.verb;
  }

  /** Whether the text joins by the names of columns. */
  get joinsByName(): boolean {
    return byName.test(this.#sql) && (this.mentions("natural") || this.mentions("using"));
  }

  /** Whether the text names something. What it does not name, only the engine itself can have touched. */
  mentions(name: string): boolean {
    this.#names ??= namesIn(this.#sql);
    if (this.#names.has(name)) return true;
    return name.startsWith("sqlite_") && this.#names.has(name.replace("master", "schema"));
  }
}

/** Cheap to ask before the text is taken apart. */
const byName = /natural|using/i;
