import type { SqlResult, SqlValue } from "../../../core/sql.ts";
import type { Violation } from "../../../core/syscall.ts";
import type { DriverReply as Answer } from "../../session-drivers.ts";
import { noViolations } from "../../violation.ts";
import { resultCode, statementVmSteps } from "./sql-codes.ts";
import { type SqlConnection, SqlError } from "./sql-connection.ts";
import type { Pointer, SqlEngine } from "./sql-engine.ts";
import { attemptsIn, leadingWord } from "./sql-intent.ts";
import type { SqlMediator } from "./sql-mediator.ts";
import { SqlProgram } from "./sql-program.ts";
import type { SqlLimits, SqlRules } from "./sql-rules.ts";
import { readSchema } from "./sql-schema.ts";
import type { StatementFacts } from "./sql-statement.ts";

export interface SqlTextParts {
  readonly engine: SqlEngine;
  readonly connection: SqlConnection;
  readonly mediator: SqlMediator;
  /** Empty where nothing is judged. */
  readonly rules: readonly SqlRules[];
  readonly limits: SqlLimits;
}

/** A statement that may be kept compiled, because it is all of its text and was permitted. */
export interface KeptStatement {
  readonly stmt: Pointer;
  readonly readonly: boolean;
  readonly columns: readonly string[];
  readonly facts: StatementFacts;
}

/** A statement's place in its text, in the module's memory. */
interface Place {
  readonly sql: string;
  /** Where the text begins, the statement begins, the rest after it begins, the text ends. */
  readonly start: Pointer;
  readonly at: Pointer;
  readonly rest: Pointer;
  readonly end: Pointer;
}

/** How a statement ended: `null` where it did what it should. */
type Ending = Answer | null;

function isAlone({ start, at, rest, end }: Place): boolean {
  return at === start && rest === end;
}

const noColumns: readonly string[] = Object.freeze([]);

/**
 * Runs one text, statement by statement as the engine walks it. A judged text runs in a transaction of the kernel's, so
 * that what is denied or fails leaves nothing of the whole text; it does not begin one before something is written.
 */
export class SqlText {
  readonly #parts: SqlTextParts;
  readonly #judged: boolean;
  #columns: readonly string[] = noColumns;
  #rows: (readonly SqlValue[])[] = [];
  /** Rows and bytes returned, those of earlier statements included. */
  rowCount = 0;
  resultBytes = 0;
  #began = false;
  #changesBefore = 0;
  /** Whether anything tried to write. */
  wrote = false;
  /** The statement, where the text is that one alone; the caller keeps it or disposes of it. */
  kept: KeptStatement | null = null;

  constructor(parts: SqlTextParts) {
    this.#parts = parts;
    this.#judged = parts.rules.some((rules) => rules.shadow !== true);
  }

  run(sql: string): Answer {
    const { connection } = this.#parts;
    const placed = connection.place(sql);
    try {
      return this.#walk(sql, placed.at, placed.end);
    } finally {
      connection.sqlite.free(placed.at);
    }
  }

  /** Runs a statement that was kept from an earlier run of the same text under the same rules. */
  runKept(kept: KeptStatement): Answer {
    const { mediator } = this.#parts;
    const ending = this.#begin(kept.readonly);
    if (ending !== null) return ending;
    mediator.resume(kept.facts);
    return this.#step(kept.stmt, kept.columns) ?? this.#commit();
  }

  #walk(sql: string, start: Pointer, end: Pointer): Answer {
    const { connection, mediator } = this.#parts;
    for (let from = start; from < end; ) {
      this.#refreshSchema();
      mediator.beginStatement();
      const compiled = connection.compile(from, end);
      if (compiled instanceof SqlError) return this.#uncompiled(compiled, sql, this.#indexOf({ start, at: from }));
      if (compiled.rest <= from) return this.#unread(sql, this.#indexOf({ start, at: from }));
      const place = { sql, start, at: from, rest: compiled.rest, end };
      from = compiled.rest;
      if (compiled.stmt === 0) continue;
      const ending = this.#statement(compiled.stmt, place);
      if (ending === null) continue;
      return ending.outcome === "denied" ? this.#withRest(ending, place) : ending;
    }
    return this.#commit();
  }

  #statement(stmt: Pointer, place: Place): Ending {
    const { connection, mediator } = this.#parts;
    const { sqlite } = connection;
    const explained = sqlite.sqlite3_stmt_isexplain(stmt) !== 0;
    if (explained) mediator.findings.forget();
    else if (this.#parts.rules.length > 0) this.#judge(place);
    if (mediator.findings.found.length > 0) {
      sqlite.sqlite3_finalize(stmt);
      return this.#denied();
    }
    const readonly = sqlite.sqlite3_stmt_readonly(stmt) !== 0;
    const columns = sqlite.sqlite3_column_count(stmt) === 0 ? noColumns : connection.columns(stmt);
    const facts = this.#judged && isAlone(place) && !explained ? mediator.keepable : null;
    const ending = this.#begin(readonly) ?? this.#compiled(stmt, columns);
    // What was watched is told by compiling: it must be told again when the text runs again.
    if (facts !== null && ending === null && mediator.findings.watched.length === 0)
      this.kept = { stmt, readonly, columns, facts };
    else sqlite.sqlite3_finalize(stmt);
    return ending;
  }

  /** Judges what a compiled statement is, as far as its declarations left it open. */
  #judge(place: Place): void {
    const { mediator } = this.#parts;
    if (mediator.inDoubt) this.#unobserved(() => mediator.settle(this.#program(place)));
    if (mediator.declaredCount > 0) return;
    // It declares nothing: a VACUUM, or something that is not there and was to be dropped if it were.
    const index = this.#indexOf(place);
    if (leadingWord(place.sql, index) === "vacuum") mediator.declareVacuum();
    else this.#noteAttempts(place.sql, index, 1);
  }

  /** Where a statement begins, in characters of the text. */
  #indexOf({ start, at }: Pick<Place, "start" | "at">): number {
    return at === start ? 0 : this.#parts.connection.heap.text(start, at - start).length;
  }

  #program({ at, rest }: Place): SqlProgram | null {
    const { connection } = this.#parts;
    return SqlProgram.of(connection, connection.heap.text(at, rest - at));
  }

  #compiled(stmt: Pointer, columns: readonly string[]): Ending {
    this.#parts.mediator.beginRunning();
    return this.#step(stmt, columns);
  }

  /** Steps a compiled, permitted statement to its end. */
  #step(stmt: Pointer, columns: readonly string[]): Ending {
    const { connection, mediator } = this.#parts;
    const { sqlite } = connection;
    if (columns.length > 0) {
      this.#columns = columns;
      this.#rows = [];
    }
    let code = sqlite.sqlite3_step(stmt);
    while (code === resultCode.row && this.#takeRow(stmt, columns.length)) code = sqlite.sqlite3_step(stmt);
    const error = code === resultCode.done || code === resultCode.row ? null : connection.error(code);
    mediator.finishStatement(sqlite.sqlite3_stmt_status(stmt, statementVmSteps, 1));
    sqlite.sqlite3_reset(stmt);
    if (error !== null) this.#noteExhaustion(error.code);
    if (this.#judged && this.#began && !connection.inTransaction) this.#noteRollback(error);
    if (mediator.findings.found.length > 0) return this.#denied();
    const { stopped } = mediator.meter;
    if (stopped !== null) return this.#failed(`stopped: more than ${this.#parts.limits[stopped]} ${stopped}`);
    return error === null ? null : this.#failed(error.message);
  }

  #takeRow(stmt: Pointer, count: number): boolean {
    const { connection, mediator, limits } = this.#parts;
    if (++this.rowCount > limits.rowsReturned) {
      mediator.meter.exceed("rowsReturned");
      return false;
    }
    const row = connection.row(stmt, count);
    for (const value of row) {
      if (typeof value === "string" || value instanceof Uint8Array) this.resultBytes += value.length;
    }
    this.#rows.push(row);
    if (this.resultBytes > limits.resultBytes) mediator.meter.exceed("resultBytes");
    return mediator.meter.stopped === null;
  }

  #noteExhaustion(code: number): void {
    const { meter } = this.#parts.mediator;
    if (code === resultCode.tooBig) meter.exceed("valueBytes");
    if (code === resultCode.noMemory || code === resultCode.full) meter.exceed("memoryBytes");
  }

  /**
   * The kernel's own transaction is gone, and with it the whole text: by a conflict clause or RAISE, which is a violation,
   * or because the engine gave up on a statement that was stopped, which is not.
   */
  #noteRollback(error: SqlError | null): void {
    this.#began = false;
    if (error === null || error.code === resultCode.constraint) this.#parts.mediator.declareRollback();
  }

  #uncompiled(error: SqlError, sql: string, index: number): Answer {
    const { mediator } = this.#parts;
    if (this.#parts.rules.length === 0) return this.#failed(error.message);
    this.#judgeUncompiled(error, sql, index);
    return mediator.findings.found.length > 0 ? this.#denied() : this.#failed(error.message);
  }

  /** What does not compile is judged by what it had declared until then, and by what its words ask for. */
  #judgeUncompiled(error: SqlError, sql: string, index: number): void {
    const { findings } = this.#parts.mediator;
    const declared = findings.takeAttempts();
    this.#noteExhaustion(error.code);
    this.#noteAttempts(sql, index);
    if (leadingWord(sql, index) === "explain") return;
    for (const attempt of declared) findings.addAttempt(attempt);
    const tampered = /^table (.+) may not be modified$/.exec(error.message)?.[1];
    if (tampered !== undefined) for (const rules of this.#parts.rules) findings.add(rules.tamper(tampered));
  }

  #noteAttempts(sql: string, index: number, statements?: number): void {
    const { findings, schema } = this.#parts.mediator;
    for (const { effect, subject } of attemptsIn(sql, index, statements))
      for (const rules of this.#parts.rules)
        findings.addAttempt(rules.attempt(effect, subject, schema.tables.has(subject)));
  }

  /** SQLite reads no further than a NUL character: a text that goes on behind one says something else than it seems to. */
  #unread(sql: string, index: number): Answer {
    if (sql.slice(index).replaceAll("\0", " ").trim() === "") return this.#commit();
    this.#parts.mediator.findings.beginStatement();
    if (this.#parts.rules.length > 0) this.#noteAttempts(sql.replaceAll("\0", " "), index);
    if (this.#parts.mediator.findings.found.length > 0) return this.#denied();
    return this.#failed("the text has a NUL character, and SQLite reads no further");
  }

  /** A denied text is judged to its end: what is left of it is compiled and never run. */
  #withRest(denied: Answer, place: Place): Answer {
    const { connection, mediator } = this.#parts;
    const { findings } = mediator;
    const found = [...denied.violations];
    for (let from = place.rest; from < place.end; ) {
      mediator.beginStatement();
      const compiled = connection.compile(from, place.end);
      if (compiled instanceof SqlError) {
        this.#judgeUncompiled(compiled, place.sql, this.#indexOf({ start: place.start, at: from }));
        for (const violation of findings.found) found.push(violation);
        break;
      }
      if (compiled.rest <= from) break;
      const rest = { ...place, at: from, rest: compiled.rest };
      from = compiled.rest;
      if (compiled.stmt === 0) continue;
      if (connection.sqlite.sqlite3_stmt_isexplain(compiled.stmt) !== 0) findings.forget();
      else this.#judge(rest);
      for (const violation of findings.found) found.push(violation);
      connection.sqlite.sqlite3_finalize(compiled.stmt);
    }
    return { outcome: "denied", violations: found };
  }

  #begin(readonly: boolean): Ending {
    if (readonly) return null;
    const { sqlite, db } = this.#parts.connection;
    if (!this.wrote) this.#changesBefore = sqlite.sqlite3_total_changes(db);
    this.wrote = true;
    if (!this.#judged || this.#began) return null;
    const error = this.#trusted("BEGIN");
    if (error !== null) return this.#failed(error.message);
    this.#began = true;
    return null;
  }

  #commit(): Answer {
    if (this.#began) {
      const error = this.#trusted("COMMIT");
      if (error !== null) return this.#failed(error.message);
    }
    const { sqlite, db } = this.#parts.connection;
    const rowsChanged = this.wrote ? sqlite.sqlite3_total_changes(db) - this.#changesBefore : 0;
    const result: SqlResult = { columns: this.#columns, rows: this.#rows, rowsChanged };
    return { outcome: "completed", result, violations: noViolations };
  }

  #denied(): Answer {
    return this.#deny(this.#parts.mediator.findings.found);
  }

  #deny(violations: readonly Violation[]): Answer {
    this.#rollback();
    return { outcome: "denied", violations };
  }

  #failed(error: string): Answer {
    this.#rollback();
    return { outcome: "failed", error, violations: noViolations };
  }

  #rollback(): void {
    if (!this.#began) return;
    this.#began = false;
    const error = this.#parts.connection.inTransaction ? this.#trusted("ROLLBACK") : null;
    if (error !== null) throw error;
  }

  #refreshSchema(): void {
    const { mediator, connection } = this.#parts;
    if (this.#parts.rules.length > 0 && mediator.schemaChanged)
      mediator.schema = this.#unobserved(() => readSchema(connection));
  }

  /** Steps of the kernel's own, which nobody judges. */
  #trusted(sql: string): SqlError | null {
    const { connection } = this.#parts;
    return this.#unobserved(() => connection.step(sql));
  }

  #unobserved<T>(run: () => T): T {
    const { engine } = this.#parts;
    const { observer } = engine;
    engine.observer = null;
    try {
      return run();
    } finally {
      engine.observer = observer;
    }
  }
}
