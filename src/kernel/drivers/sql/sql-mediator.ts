import type { Random } from "../../../core/random.ts";
import { threadWidePragmas } from "./sql-actions.ts";
import { action } from "./sql-codes.ts";
import { SqlDeclaredReads } from "./sql-declared-reads.ts";
import { SqlDeclaredWrites } from "./sql-declared-writes.ts";
import { authDeny, authIgnore, type Pointer, type SqlObserver } from "./sql-engine.ts";
import { SqlFindings } from "./sql-findings.ts";
import type { SqlHeap } from "./sql-heap.ts";
import { type MeteredMemory, SqlMeter } from "./sql-meter.ts";
import type { SqlProgram } from "./sql-program.ts";
import { SqlRowChanges } from "./sql-row-changes.ts";
import type { SqlLimits, SqlRules } from "./sql-rules.ts";
import type { SqlSchema } from "./sql-schema.ts";
import { SqlStatement, type StatementFacts } from "./sql-statement.ts";

/**
 * Watches one text at a time with both observers. The authorizer tells what a statement declares while it compiles: its own
 * verb and every read are judged from that. The preupdate hook tells which rows really change: what triggers, cascades
 * and conflict clauses do is judged from that, so a REPLACE is a deletion when, and only when, it deletes.
 *
 * What the engine does on its own account (foreign-key checks, shadow tables, the schema table during DDL) touches tables that
 * the text does not name; where the origin is no trigger or view, such touches are not the agent's.
 */
export class SqlMediator implements SqlObserver {
  readonly findings = new SqlFindings();
  readonly meter: SqlMeter;
  readonly changesBefore: number;
  /** Whether nothing but rows was read and written so far. */
  rowsOnly = true;
  readonly #heap: SqlHeap;
  readonly #random: Random;
  readonly #interrupt: () => void;
  readonly #statement: SqlStatement;
  readonly #reads: SqlDeclaredReads;
  readonly #writes: SqlDeclaredWrites;
  readonly #rows: SqlRowChanges;

  constructor(parts: {
    readonly heap: SqlHeap;
    readonly random: Random;
    readonly schema: SqlSchema;
    readonly limits: SqlLimits;
    /** Stops the statement under way. */
    readonly interrupt: () => void;
    readonly memory: MeteredMemory;
    readonly changesBefore: number;
  }) {
    const { findings } = this;
    this.#heap = parts.heap;
    this.#random = parts.random;
    this.#interrupt = parts.interrupt;
    this.changesBefore = parts.changesBefore;
    this.meter = new SqlMeter({ memory: parts.memory, findings, limits: parts.limits });
    this.#statement = new SqlStatement(parts.schema);
    this.#reads = new SqlDeclaredReads(this.#statement, findings);
    this.#writes = new SqlDeclaredWrites(this.#statement, findings);
    this.#rows = new SqlRowChanges({ heap: parts.heap, statement: this.#statement, findings, meter: this.meter });
  }

  /** Whether the connection may be other than new after this session: pragmas, temporary objects. */
  get tainted(): boolean {
    return this.#reads.tainted || this.#writes.tainted;
  }

  /** Whether the schema may have changed since it was last set. */
  get schemaChanged(): boolean {
    return this.#writes.schemaChanged;
  }

  set schema(schema: SqlSchema) {
    this.#statement.schema = schema;
    this.#writes.schemaChanged = false;
  }

  get schema(): SqlSchema {
    return this.#statement.schema;
  }

  beginText(sql: string, rules: readonly SqlRules[], limits: SqlLimits): void {
    this.findings.beginText(rules);
    this.meter.beginText(limits);
    this.#statement.beginText(sql);
  }

  beginStatement(): void {
    this.findings.beginStatement();
    this.#statement.begin();
    this.#reads.begin();
    this.#writes.begin();
  }

  /** Whether the compiled program of the statement must be asked before it runs. */
  get inDoubt(): boolean {
    return this.#statement.writesVirtual || this.#reads.inDoubt;
  }

  /** Judges what the declarations left open; `null` where the engine cannot list the program. */
  settle(program: SqlProgram | null): void {
    this.#statement.replacesVirtual = this.#statement.writesVirtual && (program === null || program.replacesVirtual);
    this.#reads.settle(program);
  }

  beginRunning(): void {
    this.#statement.running = true;
    this.#rows.begin();
    this.meter.beginRunning(this.#statement.writesVirtual);
  }

  /** Prepares to run a statement that was compiled, and permitted, before. */
  resume(facts: StatementFacts): void {
    this.beginStatement();
    this.#statement.resume(facts);
    this.beginRunning();
  }

  finishStatement(steps: number): void {
    this.#rows.finish();
    this.meter.finishStatement(steps);
  }

  /** A VACUUM declares nothing to the authorizer. */
  declareVacuum(): void {
    this.findings.judge("VACUUM", "");
  }

  /** A rollback that a conflict clause or RAISE brought about. */
  declareRollback(): void {
    this.findings.judge("TRANSACTION", "");
  }

  /** What a statement that is kept compiled must restore before it runs again; `null` where it cannot be kept. */
  get keepable(): StatementFacts | null {
    const { isPragma, isQuery, isDdl, writesVirtual, target, facts } = this.#statement;
    if (isPragma || isDdl || writesVirtual || this.schemaChanged) return null;
    return target !== null || isQuery ? facts : null;
  }

  /** How many things the statement declared while it compiled: a VACUUM declares nothing. */
  get declaredCount(): number {
    return this.#statement.declared;
  }

  authorize(code: number, first: Pointer, second: Pointer, schema: Pointer, origin: Pointer): number {
    if (!onRows.has(code)) this.rowsOnly = false;
    if (code === action.pragma) return this.#authorizePragma(this.#heap.name(first), second !== 0, origin !== 0);
    // While a statement runs, only the engine compiles: for its virtual tables, not for the agent.
    if (this.#statement.running || (this.findings.rules.length === 0 && onlyLooks.has(code))) return 0;
    this.#statement.declared++;
    this.#declare(code, first, second, schema, origin);
    // Denial waits, so that every rule is found.
    return 0;
  }

  change(code: number, _schema: Pointer, table: Pointer, row: bigint): void {
    if (!this.#rows.change(code, table, row)) this.#interrupt();
  }

  progress(): boolean {
    return this.meter.progress();
  }

  spend(steps: number): boolean {
    return this.meter.spend(steps);
  }

  random(): number {
    return this.#random.next() * 0x1_0000_0000;
  }

  /** Some pragmas act while they compile: one that is denied is made to do nothing, and compiles all the same. */
  #authorizePragma(name: string, hasArgument: boolean, viaObject: boolean): number {
    const { running } = this.#statement;
    if (threadWidePragmas.has(name) && hasArgument) return this.#refuseThreadWide(name, viaObject);
    // Full-text tables ask it of themselves. To anyone else it would tell of the episodes before, on the same connection.
    if (name === "data_version") return running && !hasArgument ? 0 : this.#silence(name, viaObject);
    const before = this.findings.found.length;
    this.#statement.declared++;
    if (!running && this.#statement.declared === 1) this.#statement.isPragma = true;
    this.#reads.declarePragma(name, viaObject);
    if (this.findings.found.length === before) return 0;
    return running ? authDeny : authIgnore;
  }

  /** Judges a pragma, and makes it do nothing. */
  #silence(name: string, viaObject: boolean): number {
    this.#statement.declared++;
    this.#statement.isPragma = true;
    this.#reads.declarePragma(name, viaObject);
    return this.#statement.running ? authDeny : authIgnore;
  }

  #refuseThreadWide(name: string, viaObject: boolean): number {
    this.#reads.declarePragma(name, viaObject);
    this.#statement.isPragma = true;
    this.#statement.declared++;
    return this.findings.found.length > 0 && !this.#statement.running ? authIgnore : authDeny;
  }

  #declare(code: number, first: Pointer, second: Pointer, schema: Pointer, origin: Pointer): void {
    switch (code) {
      case action.read:
        this.#reads.declare(this.#heap.name(first), this.#heap.name(second), origin !== 0);
        return;
      case action.insert:
      case action.update:
      case action.delete:
        this.#writes.declareRows(code, this.#heap.name(first), origin !== 0);
        return;
      case action.select:
        this.#statement.isQuery = true;
        this.findings.judge("SELECT", "");
        return;
      case action.function:
      case action.recursive:
        return;
      case action.transaction:
      case action.savepoint:
        this.findings.judge("TRANSACTION", "");
        return;
      case action.attach:
      case action.detach:
        this.findings.judge("ATTACH", "");
        return;
      case action.reindex:
        this.#writes.declareReindex();
        return;
      case action.analyze:
        this.findings.judge("ANALYZE", "");
        return;
      case action.alterTable:
        this.#writes.declareAlter(this.#heap.name(second), schema !== 0);
        return;
      default:
        this.#writes.declareDdl(code, this.#heap.name(first));
        return;
    }
  }
}

/** What reads and writes rows, and changes nothing else of a connection. */
const onRows = new Set<number>([
  ...[action.read, action.select, action.function, action.recursive],
  ...[action.insert, action.update, action.delete, action.transaction, action.savepoint],
]);
/** What leaves nothing to know where nothing is judged. */
const onlyLooks = new Set<number>([action.read, action.select, action.function, action.recursive]);
