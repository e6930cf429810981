import { createActions, dropActions, effectOfAction } from "./sql-actions.ts";
import { action } from "./sql-codes.ts";
import type { SqlFindings } from "./sql-findings.ts";
import type { SqlEffect } from "./sql-rules.ts";
import type { SqlStatement } from "./sql-statement.ts";

/** Judges what a statement declares to change: rows by its own verb, and the schema. What triggers do is judged by rows. */
export class SqlDeclaredWrites {
  readonly #statement: SqlStatement;
  readonly #findings: SqlFindings;
  #dropDenied = false;
  /** Whether a temporary object was made: it stays with the connection. */
  tainted = false;
  /** Whether the schema may have changed since this was last cleared. */
  schemaChanged = false;

  constructor(statement: SqlStatement, findings: SqlFindings) {
    this.#statement = statement;
    this.#findings = findings;
  }

  begin(): void {
    this.#dropDenied = false;
  }

  declareRows(code: number, table: string, viaTrigger: boolean): void {
    const statement = this.#statement;
    if (statement.schema.virtuals.has(table)) statement.writesVirtual = true;
    if (statement.isVirtualDdl || (table === statement.dropped && statement.schema.views.has(table))) return;
    if (this.#dropDenied && code === action.delete) return;
    if (table.startsWith("sqlite_") && !statement.mentions(table)) return;
    const effect = effectOfAction.get(code) as SqlEffect;
    if (viaTrigger) {
      this.#declareByTrigger(effect, table);
      return;
    }
    if (statement.target === null) {
      statement.target = table;
      statement.verb = code;
    }
    const own = code === statement.verb || (statement.verb === action.insert && code === action.update);
    if (!own || table !== statement.target) return;
    this.#findings.judge(effect, table);
    if (this.#isUnseen(table) && effect === "INSERT") this.#findings.judge("DELETE", table);
  }

  declareAlter(table: string, dropsColumn: boolean): void {
    this.#statement.isAlter = true;
    this.#beginDdl();
    this.#findings.judge("ALTER", table);
    if (dropsColumn) this.#findings.judge("DROP", table);
  }

  declareDdl(code: number, name: string): void {
    const statement = this.#statement;
    this.#beginDdl();
    if (statement.isVirtualDdl || name.startsWith("sqlite_")) return;
    if (code === action.createVirtualTable || code === action.dropVirtualTable) statement.isVirtualDdl = true;
    if (code === action.createIndex || code === action.createTempIndex) statement.isCreateIndex = true;
    if (createActions.has(code)) {
      if (code >= action.createTempIndex && code <= action.createTempView) this.tainted = true;
      this.#findings.judge("CREATE", name);
      return;
    }
    if (!dropActions.has(code)) return;
    this.#declareDrop(name);
    // Of an ordinary table the engine declares itself that its rows go.
    if (statement.schema.rowsOf.has(name) && !this.#dropDenied) this.#findings.judge("DELETE", name);
  }

  declareReindex(): void {
    if (!this.#statement.isCreateIndex && !this.#statement.isAlter) this.#findings.judge("REINDEX", "");
  }

  #declareDrop(name: string): void {
    this.#statement.dropped = name;
    const before = this.#findings.found.length;
    this.#findings.judge("DROP", name);
    this.#dropDenied = this.#findings.found.length > before;
  }

  /** What a trigger does to rows that nobody sees must count as it is declared. */
  #declareByTrigger(effect: SqlEffect, table: string): void {
    const { byTrigger, schema } = this.#statement;
    if (!schema.virtuals.has(table)) return;
    byTrigger.add(`${effect} ${table}`);
    if (!this.#isUnseen(table)) return;
    this.#findings.judge(effect, table);
    if (effect === "INSERT") this.#findings.judge("DELETE", table);
  }

  /**
   * Whether a virtual table has no shadow table that tells how many rows it has, such as a full-text index without content and sizes:
   * an INSERT may be one of its commands, which delete, and nobody would see it.
   */
  #isUnseen(table: string): boolean {
    const { schema } = this.#statement;
    return schema.virtuals.has(table) && !schema.rowsOf.has(table);
  }

  #beginDdl(): void {
    this.schemaChanged = true;
    this.#statement.isDdl = true;
  }
}
