import type { SqlResult, SqlValue } from "../../../core/sql.ts";
import type { Violation } from "../../../core/syscall.ts";
import type { Answer } from "../../kernel-session.ts";
import { noViolations } from "../../violation.ts";
import { resultCode, statementVmSteps } from "./sql-codes.ts";
import { type SqlConnection, SqlError } from "./sql-connection.ts";
import type { Pointer, SqlEngine } from "./sql-engine.ts";
import { attemptsIn, leadingWord } from "./sql-intent.ts";
import type { SqlMediator, StatementWrites } from "./sql-mediator.ts";
import type { SqlLimits, SqlRules } from "./sql-rules.ts";
import { readSchema } from "./sql-schema.ts";

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
  readonly writes: StatementWrites;
}

/** How a statement ended: `null` where it did what it should. */
type Ending = Answer | null;

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
  readonly #changesBefore: number;
  /** Whether anything tried to write. */
  wrote = false;
  /** The statement, where the text is that one alone; the caller keeps it or disposes of it. */
  kept: KeptStatement | null = null;

  constructor(parts: SqlTextParts) {
    this.#parts = parts;
    this.#judged = parts.rules.some((rules) => rules.shadow !== true);
    this.#changesBefore = parts.connection.sqlite.sqlite3_total_changes(parts.connection.db);
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
    mediator.resume(kept.writes);
    return this.#step(kept.stmt, kept.columns) ?? this.#commit();
  }

  #walk(sql: string, start: Pointer, end: Pointer): Answer {
    const { connection, mediator } = this.#parts;
    for (let from = start; from < end; ) {
      this.#refreshSchema();
      mediator.beginStatement();
      const compiled = connection.compile(from, end);
      const at = from;
      const index = () => connection.heap.text(start, at - start).length;
      if (compiled instanceof SqlError) return this.#uncompiled(compiled, sql, index());
      if (compiled.rest <= from) break;
      from = compiled.rest;
      if (compiled.stmt === 0) continue;
      const alone = at === start && from === end;
      const ending = this.#statement(compiled.stmt, { sql, index, alone });
      if (ending === null) continue;
      return ending.outcome === "denied" ? this.#withRest(ending, { sql, start, from, end }) : ending;
    }
    return this.#commit();
  }

  #statement(
    stmt: Pointer,
    place: { readonly sql: string; readonly index: () => number; readonly alone: boolean },
  ): Ending {
    const { connection, mediator } = this.#parts;
    const { sqlite } = connection;
    const explained = sqlite.sqlite3_stmt_isexplain(stmt) !== 0;
    if (
      this.#parts.rules.length > 0 &&
      !explained &&
      mediator.declaredCount === 0 &&
      leadingWord(place.sql, place.index()) === "vacuum"
    )
      mediator.declareVacuum();
    if (explained) mediator.forget();
    if (mediator.found.length > 0) {
      sqlite.sqlite3_finalize(stmt);
      return this.#denied();
    }
    const readonly = sqlite.sqlite3_stmt_readonly(stmt) !== 0;
    const columns = sqlite.sqlite3_column_count(stmt) === 0 ? noColumns : connection.columns(stmt);
    const writes = mediator.writes;
    const keeps = this.#judged && place.alone && !explained && (writes.target !== null || mediator.isPlainRead);
    const ending = this.#begin(readonly) ?? this.#compiled(stmt, columns);
    // What was watched is told by compiling: it must be told again when the text runs again.
    if (keeps && ending === null && mediator.watched.length === 0) this.kept = { stmt, readonly, columns, writes };
    else sqlite.sqlite3_finalize(stmt);
    return ending;
  }

  #compiled(stmt: Pointer, columns: readonly string[]): Ending {
    this.#parts.mediator.beginRunning();
    return this.#step(stmt, columns);
  }

  /** Steps a compiled, permitted statement to its end. */
  #step(stmt: Pointer, columns: readonly string[]): Ending {
    const { connection, mediator } = this.#parts;
    const { sqlite } = connection;
    sqlite.sqlite3_stmt_status(stmt, statementVmSteps, 1);
    if (columns.length > 0) {
      this.#columns = columns;
      this.#rows = [];
    }
    let code = sqlite.sqlite3_step(stmt);
    while (code === resultCode.row && this.#takeRow(stmt, columns.length)) code = sqlite.sqlite3_step(stmt);
    const error = code === resultCode.done || code === resultCode.row ? null : connection.error(code);
    mediator.finishStatement(sqlite.sqlite3_stmt_status(stmt, statementVmSteps, 0));
    sqlite.sqlite3_reset(stmt);
    if (error !== null) this.#noteExhaustion(error.code);
    if (this.#judged && this.#began && !connection.inTransaction) this.#noteRollback(error);
    if (mediator.found.length > 0) return this.#denied();
    if (mediator.stopped !== null)
      return this.#failed(`stopped: more than ${this.#parts.limits[mediator.stopped]} ${mediator.stopped}`);
    return error === null ? null : this.#failed(error.message);
  }

  #takeRow(stmt: Pointer, count: number): boolean {
    const { connection, mediator, limits } = this.#parts;
    if (++this.rowCount > limits.rowsReturned) {
      mediator.exceed("rowsReturned");
      return false;
    }
    const row = connection.row(stmt, count);
    for (const value of row) {
      if (typeof value === "string" || value instanceof Uint8Array) this.resultBytes += value.length;
    }
    this.#rows.push(row);
    if (this.resultBytes > limits.resultBytes) mediator.exceed("resultBytes");
    return mediator.stopped === null;
  }

  #noteExhaustion(code: number): void {
    const { mediator } = this.#parts;
    if (code === resultCode.tooBig) mediator.exceed("valueBytes");
    if (code === resultCode.noMemory || code === resultCode.full) mediator.exceed("memoryBytes");
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
    if (error.code === resultCode.auth && leadingWord(sql, index) !== "explain") return this.#denied();
    mediator.forget();
    mediator.beginStatement();
    this.#noteExhaustion(error.code);
    this.#noteAttempts(sql, index);
    const tampered = /^table (.+) may not be modified$/.exec(error.message)?.[1];
    if (tampered !== undefined) for (const rules of this.#parts.rules) mediator.note(rules.tamper(tampered));
    return mediator.found.length > 0 ? this.#denied() : this.#failed(error.message);
  }

  #noteAttempts(sql: string, index: number): void {
    for (const { effect, subject } of attemptsIn(sql, index))
      for (const rules of this.#parts.rules) {
        const found = rules.attempt(effect, subject);
        if (found !== null) this.#parts.mediator.note(found);
      }
  }

  /** A denied text is judged to its end: what is left of it is compiled and never run. */
  #withRest(
    denied: Answer,
    place: { readonly sql: string; readonly start: Pointer; readonly from: Pointer; readonly end: Pointer },
  ): Answer {
    const { connection, mediator, engine } = this.#parts;
    engine.observer = mediator;
    const found = [...denied.violations];
    for (let from = place.from; from < place.end; ) {
      mediator.beginStatement();
      const compiled = connection.compile(from, place.end);
      if (compiled instanceof SqlError) {
        if (compiled.code !== resultCode.auth) {
          mediator.forget();
          this.#noteAttempts(place.sql, connection.heap.text(place.start, from - place.start).length);
        }
        found.push(...mediator.found);
        break;
      }
      if (compiled.rest <= from) break;
      from = compiled.rest;
      if (compiled.stmt === 0) continue;
      if (connection.sqlite.sqlite3_stmt_isexplain(compiled.stmt) !== 0) mediator.forget();
      found.push(...mediator.found);
      connection.sqlite.sqlite3_finalize(compiled.stmt);
    }
    return { outcome: "denied", violations: found };
  }

  #begin(readonly: boolean): Ending {
    if (readonly) return null;
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
    return this.#deny(this.#parts.mediator.found);
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
    const { mediator, connection, engine } = this.#parts;
    if (this.#parts.rules.length === 0 || !mediator.schemaChanged) return;
    engine.observer = null;
    mediator.schema = readSchema(connection);
    engine.observer = mediator;
  }

  /** Steps of the kernel's own, which nobody judges. */
  #trusted(sql: string): SqlError | null {
    const { engine, connection } = this.#parts;
    const observer = engine.observer;
    engine.observer = null;
    const error = connection.step(sql);
    engine.observer = observer;
    return error;
  }
}
