import type { Random } from "../../../core/random.ts";
import type { Violation } from "../../../core/syscall.ts";
import { createActions, dropActions, effectOfAction, engineTables, tellingPragmas } from "./sql-actions.ts";
import { action } from "./sql-codes.ts";
import { authDeny, type Pointer, progressSteps, type SqlObserver } from "./sql-engine.ts";
import type { SqlHeap } from "./sql-heap.ts";
import { namesIn } from "./sql-lexer.ts";
import type { SqlEffect, SqlLimit, SqlLimits, SqlRules } from "./sql-rules.ts";
import type { SqlSchema } from "./sql-schema.ts";

/** The verb of a data change and the table that it names. */
export interface StatementWrites {
  readonly target: string | null;
  readonly verb: number;
}

/**
 * Watches one text at a time with both observers. The authorizer tells what a statement declares while it compiles: its own
 * verb and every read are judged from that. The preupdate hook tells which rows really change: what triggers, cascades
 * and conflict clauses do is judged from that, so a REPLACE is a deletion when, and only when, it deletes.
 *
 * What the engine does on its own account (foreign-key checks, shadow tables, the schema table during DDL) touches tables that
 * the text does not name; where the origin is no trigger or view, such touches are not the agent's.
 */
export class SqlMediator implements SqlObserver {
  /** Stops the statement under way. */
  readonly interrupt: () => void;
  readonly #heap: SqlHeap;
  readonly #random: Random;
  #schema: SqlSchema;
  #rules: readonly SqlRules[] = [];
  #limits: SqlLimits;
  #sql = "";
  #names: ReadonlySet<string> | null = null;

  /** Found in the statement under way and to be kept from happening, in the order found. */
  found: Violation[] = [];
  /** Found in the text by rules that only watch. */
  watched: Violation[] = [];
  #watchedBefore = 0;
  #memoryMost = 0;
  /** Whether the connection may be other than new after this session: pragmas, temporary objects. */
  tainted = false;
  /** Whether the schema may have changed since this was last cleared. */
  schemaChanged = false;
  /** Whether a limit of the driver itself stopped an unjudged text. */
  stopped: SqlLimit | null = null;

  #running = false;
  #declared = 0;
  #target: string | null = null;
  #verb = 0;
  #droppedView: string | null = null;
  #dropDenied = false;
  #isPragma = false;
  #isVirtualDdl = false;
  #isCreateIndex = false;
  #isAlter = false;
  #declaredSelect = false;

  #rowsChanged = 0;
  #vmSteps = 0;
  #stepsBefore = 0;
  #memoryAtStart = 0;
  readonly #memoryUsed: () => number;
  #changedTable: Pointer = 0;
  #changedAction = 0;

  constructor(parts: {
    readonly heap: SqlHeap;
    readonly random: Random;
    readonly schema: SqlSchema;
    readonly limits: SqlLimits;
    readonly interrupt: () => void;
    readonly memoryUsed: () => number;
  }) {
    this.#heap = parts.heap;
    this.#random = parts.random;
    this.#schema = parts.schema;
    this.#limits = parts.limits;
    this.interrupt = parts.interrupt;
    this.#memoryUsed = parts.memoryUsed;
  }

  beginText(sql: string, rules: readonly SqlRules[], limits: SqlLimits): void {
    this.#sql = sql;
    this.#names = null;
    this.#rules = rules;
    this.#limits = limits;
    if (this.watched.length > 0) this.watched = [];
    this.#rowsChanged = 0;
    this.#vmSteps = 0;
    this.#memoryMost = 0;
    this.#stepsBefore = 0;
    this.#memoryAtStart = this.#memoryUsed();
    this.stopped = null;
  }

  set schema(schema: SqlSchema) {
    this.#schema = schema;
    this.schemaChanged = false;
  }

  beginStatement(): void {
    if (this.found.length > 0) this.found = [];
    this.#watchedBefore = this.watched.length;
    this.#running = false;
    this.#declared = 0;
    this.#target = null;
    this.#verb = 0;
    this.#droppedView = null;
    this.#dropDenied = false;
    this.#isPragma = false;
    this.#isVirtualDdl = false;
    this.#isCreateIndex = false;
    this.#isAlter = false;
    this.#declaredSelect = false;
  }

  /** Forgets what was found in the statement under way: it never runs. */
  forget(): void {
    this.found = [];
    this.watched.length = this.#watchedBefore;
  }

  /** Takes what was found beside the observers. */
  note(broken: Violation): void {
    this.#add(broken);
  }

  /** What the text has used so far, in the order of {@link SqlLimits}. */
  get usage(): Pick<SqlLimits, "rowsChanged" | "vmSteps" | "memoryBytes"> {
    return { rowsChanged: this.#rowsChanged, vmSteps: this.#vmSteps, memoryBytes: this.#memoryMost };
  }

  /** Notes the limits that were exceeded of rules that only watch. */
  watchLimits(usage: Partial<SqlLimits>): void {
    for (const rules of this.#rules) {
      if (rules.shadow !== true) continue;
      for (const [limit, used] of Object.entries(usage) as [SqlLimit, number][])
        if (used > rules.limits[limit]) this.#add(rules.exceeded(limit));
    }
  }

  beginRunning(): void {
    this.#running = true;
    this.#changedTable = 0;
  }

  /** A VACUUM declares nothing to the authorizer. */
  declareVacuum(): void {
    this.#judge("VACUUM", "");
  }

  /** A rollback that a conflict clause or RAISE brought about. */
  declareRollback(): void {
    this.#judge("TRANSACTION", "");
  }

  /** Whether the statement is a query of tables and no pragma or schema change. */
  get isPlainRead(): boolean {
    return !this.#isPragma && !this.schemaChanged && this.#declaredSelect;
  }

  /** How many things the statement declared while it compiled: a VACUUM declares nothing. */
  get declaredCount(): number {
    return this.#declared;
  }

  /** What a statement that is kept compiled must restore before it runs again. */
  get writes(): StatementWrites {
    return { target: this.#target, verb: this.#verb };
  }

  /** Prepares to run a statement that was compiled, and permitted, before. */
  resume(writes: StatementWrites): void {
    this.beginStatement();
    this.#target = writes.target;
    this.#verb = writes.verb;
    this.beginRunning();
  }

  /** Takes the number of steps of a finished statement: progress is called for whole thousands only. */
  finishStatement(steps: number): void {
    this.#vmSteps = Math.max(this.#vmSteps, this.#stepsBefore + steps);
    this.#stepsBefore = this.#vmSteps;
    if (this.#vmSteps > this.#limits.vmSteps) this.exceed("vmSteps");
  }

  exceed(limit: SqlLimit): void {
    this.stopped ??= limit;
    for (const rules of this.#rules) if (rules.limits[limit] <= this.#limits[limit]) this.#add(rules.exceeded(limit));
  }

  authorize(code: number, first: Pointer, second: Pointer, schema: Pointer, origin: Pointer): number {
    this.#declared++;
    const before = this.found.length;
    this.#declare(code, first, second, schema, origin);
    const denied = this.found.length > before;
    // While compiling, denial waits, so that every rule is found; but some pragmas act while they compile.
    return denied && (this.#running || code === action.pragma) ? authDeny : 0;
  }

  change(code: number, _schema: Pointer, table: Pointer): void {
    this.#rowsChanged++;
    if (this.#rowsChanged > this.#limits.rowsChanged && !this.#isDdl()) this.#exceedRows();
    if (table === this.#changedTable && code === this.#changedAction) return;
    this.#changedTable = table;
    this.#changedAction = code;
    this.#judgeRow(code, this.#heap.cString(table).toLowerCase());
  }

  progress(): boolean {
    this.#vmSteps += progressSteps;
    if (this.#vmSteps > this.#limits.vmSteps) this.exceed("vmSteps");
    const memory = this.#memoryUsed() - this.#memoryAtStart;
    if (memory > this.#memoryMost) this.#memoryMost = memory;
    if (this.stopped === null && memory > this.#limits.memoryBytes) this.exceed("memoryBytes");
    return this.stopped !== null;
  }

  random(): number {
    return this.#random.next() * 0x1_0000_0000;
  }

  #declare(code: number, first: Pointer, second: Pointer, schema: Pointer, origin: Pointer): void {
    switch (code) {
      case action.read:
        this.#declareRead(this.#lower(first), this.#lower(second), origin !== 0);
        return;
      case action.insert:
      case action.update:
      case action.delete:
        this.#declareWrite(code, this.#lower(first), origin !== 0);
        return;
      case action.select:
        this.#declaredSelect = true;
        if (!this.#running) this.#judge("SELECT", "");
        return;
      case action.function:
      case action.recursive:
        return;
      case action.pragma:
        this.#declarePragma(this.#lower(first));
        return;
      case action.transaction:
      case action.savepoint:
        this.#judge("TRANSACTION", "");
        return;
      case action.attach:
      case action.detach:
        this.#judge("ATTACH", "");
        return;
      case action.reindex:
        if (!this.#isCreateIndex && !this.#isAlter) this.#judge("REINDEX", "");
        return;
      case action.analyze:
        this.#judge("ANALYZE", "");
        return;
      case action.alterTable:
        this.#declareAlter(this.#lower(second), schema !== 0);
        return;
      default:
        this.#declareDdl(code, this.#lower(first));
        return;
    }
  }

  #declareRead(table: string, column: string, viaObject: boolean): void {
    if (this.#isPragma) return;
    if (!this.#schema.tables.has(table)) {
      this.#declareReadOfEngine(table, column, viaObject);
      return;
    }
    for (const rules of this.#rules) {
      const raw = this.#schema.shadows.has(table);
      const broken = raw ? rules.readRaw(table) : rules.read(table, column);
      if (broken !== null && (viaObject || this.#mentions(table))) this.#add(broken);
    }
  }

  /** A name that no table of the schema has: a table of the engine's own, or a common table expression. */
  #declareReadOfEngine(table: string, column: string, viaObject: boolean): void {
    if (table.startsWith("pragma_")) {
      this.#declarePragma(table.slice("pragma_".length));
      return;
    }
    const isSchemaTable = /^sqlite_(temp_)?(master|schema)$/.test(table);
    if (!isSchemaTable && !engineTables.has(table)) return;
    if (!viaObject && !this.#mentions(table)) return;
    for (const rules of this.#rules) {
      const broken = isSchemaTable ? rules.read(table, column) : rules.readRaw(table);
      if (broken !== null) this.#add(broken);
    }
  }

  #declareWrite(code: number, table: string, viaTrigger: boolean): void {
    if (this.#isVirtualDdl || table === this.#droppedView) return;
    if (this.#dropDenied && code === action.delete) return;
    if (table.startsWith("sqlite_") && !this.#mentions(table)) return;
    const effect = effectOfAction.get(code) as SqlEffect;
    // The hook does not see rows of virtual tables: what a trigger declares to do with them must count.
    if (viaTrigger) {
      if (this.#schema.virtuals.has(table)) this.#judge(effect, table);
      return;
    }
    if (this.#target === null) {
      this.#target = table;
      this.#verb = code;
    }
    const own = code === this.#verb || (this.#verb === action.insert && code === action.update);
    if (own && table === this.#target) this.#judge(effect, table);
  }

  #declarePragma(name: string): void {
    // Virtual tables ask for pragmas of their own that the text does not name.
    if (!this.#mentions(name) && !this.#mentions(`pragma_${name}`)) return;
    this.#isPragma ||= this.#declared === 1 || this.#running;
    if (!tellingPragmas.has(name)) this.tainted = true;
    for (const rules of this.#rules) this.#addIf(rules.pragma(name));
  }

  #declareAlter(table: string, dropsColumn: boolean): void {
    this.#isAlter = true;
    this.schemaChanged = true;
    this.#judge("ALTER", table);
    if (dropsColumn) this.#judge("DROP", table);
  }

  #declareDdl(code: number, name: string): void {
    this.schemaChanged = true;
    if (this.#isVirtualDdl || name.startsWith("sqlite_")) return;
    if (code === action.createVirtualTable || code === action.dropVirtualTable) this.#isVirtualDdl = true;
    if (code === action.createIndex || code === action.createTempIndex) this.#isCreateIndex = true;
    if (createActions.has(code)) {
      this.#declareCreate(code, name);
      return;
    }
    if (code === action.dropView || code === action.dropTempView) this.#droppedView = name;
    const before = this.found.length;
    if (dropActions.has(code)) this.#judge("DROP", name);
    this.#dropDenied = this.found.length > before;
  }

  #declareCreate(code: number, name: string): void {
    if (code >= action.createTempIndex && code <= action.createTempView) this.tainted = true;
    this.#judge("CREATE", name);
  }

  #judgeRow(code: number, table: string): void {
    if (this.#isDdl() || (table.startsWith("sqlite_") && !this.#mentions(table))) return;
    const before = this.found.length;
    const owner = this.#schema.shadows.get(table);
    if (owner === undefined) this.#judge(effectOfAction.get(code) as SqlEffect, table);
    else if (code === action.delete && this.#verb === action.insert && /_(content|docsize|rowid)$/.test(table))
      this.#judge("DELETE", owner);
    if (this.found.length > before) this.interrupt();
  }

  #exceedRows(): void {
    this.exceed("rowsChanged");
    this.interrupt();
  }

  #isDdl(): boolean {
    return this.#isVirtualDdl || this.#isAlter || (this.#target === null && this.#verb === 0 && this.schemaChanged);
  }

  #judge(effect: SqlEffect, table: string): void {
    for (const rules of this.#rules) this.#addIf(rules.effect(effect, table));
  }

  #addIf(broken: Violation | null): void {
    if (broken !== null) this.#add(broken);
  }

  #add(broken: Violation): void {
    const found = broken.blocked ? this.found : this.watched;
    if (!found.includes(broken)) found.push(broken);
  }

  /** Whether the text names a table. What it does not name, only the engine itself can have touched. */
  #mentions(table: string): boolean {
    this.#names ??= namesIn(this.#sql);
    if (this.#names.has(table)) return true;
    return table.startsWith("sqlite_") && this.#names.has(table.replace("master", "schema"));
  }

  #lower(at: Pointer): string {
    return at === 0 ? "" : this.#heap.cString(at).toLowerCase();
  }
}
