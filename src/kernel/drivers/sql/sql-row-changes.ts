import { effectOfAction } from "./sql-actions.ts";
import { action } from "./sql-codes.ts";
import type { Pointer } from "./sql-engine.ts";
import type { SqlFindings } from "./sql-findings.ts";
import type { SqlHeap } from "./sql-heap.ts";
import type { SqlMeter } from "./sql-meter.ts";
import type { SqlEffect } from "./sql-rules.ts";
import type { SqlStatement } from "./sql-statement.ts";

/** What happened to the rows of one virtual table, by its shadow table of one row for each. */
interface ShadowRows {
  deleted: number;
  inserted: number;
  /** Deleted and not put back, by rowid, and the other way round. */
  readonly lost: Set<bigint>;
  readonly added: Set<bigint>;
}

/**
 * Judges the rows that really change: by triggers, cascades and conflict clauses too. Of a virtual table the engine tells only what
 * happens to its shadow tables, so its rows are judged when the statement ends, by what is gone and what is new.
 */
export class SqlRowChanges {
  readonly #heap: SqlHeap;
  readonly #statement: SqlStatement;
  readonly #findings: SqlFindings;
  readonly #meter: SqlMeter;
  readonly #shadowed = new Map<string, ShadowRows>();
  #table: Pointer = 0;
  #action = 0;
  #isOwnBookkeeping = false;
  #shadow: string | null = null;

  constructor(parts: {
    readonly heap: SqlHeap;
    readonly statement: SqlStatement;
    readonly findings: SqlFindings;
    readonly meter: SqlMeter;
  }) {
    this.#heap = parts.heap;
    this.#statement = parts.statement;
    this.#findings = parts.findings;
    this.#meter = parts.meter;
  }

  begin(): void {
    this.#table = 0;
    if (this.#shadowed.size > 0) this.#shadowed.clear();
  }

  /** Takes a row that is about to change. Answers whether the statement may go on. */
  change(code: number, table: Pointer, row: bigint): boolean {
    if (table !== this.#table || code !== this.#action) this.#turnTo(code, table);
    if (this.#shadow !== null) this.#noteShadow(this.#shadow, code, row);
    if (this.#isOwnBookkeeping) return this.#findings.found.length === 0;
    return this.#meter.countRow(!this.#isSchemaWork) && this.#findings.found.length === 0;
  }

  /** Judges the rows of virtual tables. */
  finish(): void {
    for (const [table, rows] of this.#shadowed) {
      for (const _ of rows.lost) this.#meter.countRow(true);
      this.#judgeShadow(table, rows);
    }
  }

  /** Rows of the same table mostly change in the same way: they are judged once. */
  #turnTo(code: number, at: Pointer): void {
    this.#table = at;
    this.#action = code;
    const table = this.#heap.name(at);
    const { shadows, rowsOf } = this.#statement.schema;
    const owner = shadows.get(table);
    this.#shadow = owner !== undefined && rowsOf.get(owner) === table && !this.#statement.isVirtualDdl ? owner : null;
    this.#isOwnBookkeeping = owner !== undefined && (this.#shadow === null || code === action.delete);
    if (owner !== undefined || this.#isWorkOnSchema(table)) return;
    if (table.startsWith("sqlite_") && !this.#statement.mentions(table)) return;
    this.#findings.judge(effectOfAction.get(code) as SqlEffect, table);
  }

  /** Rows that a schema change moves are judged as the schema change; but dropping a table may cascade to the rows of others. */
  #isWorkOnSchema(table: string): boolean {
    const { dropped } = this.#statement;
    return this.#isSchemaWork && (dropped === null || dropped === table || table.startsWith("sqlite_"));
  }

  get #isSchemaWork(): boolean {
    const { isVirtualDdl, isAlter, isDdl, target } = this.#statement;
    return isVirtualDdl || isAlter || (isDdl && target === null) || this.#statement.dropped !== null;
  }

  #noteShadow(owner: string, code: number, row: bigint): void {
    let rows = this.#shadowed.get(owner);
    if (rows === undefined) {
      rows = { deleted: 0, inserted: 0, lost: new Set(), added: new Set() };
      this.#shadowed.set(owner, rows);
    }
    if (code === action.delete) {
      rows.deleted++;
      if (!rows.added.delete(row)) rows.lost.add(row);
    } else if (code === action.insert) {
      rows.inserted++;
      if (!rows.lost.delete(row)) rows.added.add(row);
    }
  }

  #judgeShadow(table: string, rows: ShadowRows): void {
    const { target, verb, replacesVirtual, schema, byTrigger } = this.#statement;
    const isOwn = target === table;
    if (isOwn && verb === action.delete) return;
    const isMoved = verb === action.update && rows.deleted <= rows.inserted;
    if (isOwn && isMoved) return;
    if (rows.lost.size > 0 || (replacesVirtual && rows.deleted > 0)) this.#findings.judge("DELETE", table);
    if (isOwn) return;
    // An R-tree moves rows that nobody changed when a node is full.
    const movesRows = schema.rowsOf.get(table)?.endsWith("_rowid") === true;
    const isPutBack = rows.inserted > rows.added.size && !(movesRows && !byTrigger.has(`UPDATE ${table}`));
    if (isPutBack) this.#findings.judge("UPDATE", table);
    if (rows.added.size > 0) this.#findings.judge("INSERT", table);
  }
}
