import type { Violation } from "../../../core/syscall.ts";
import { argumentTables, engineTables, tellingPragmas } from "./sql-actions.ts";
import type { SqlFindings } from "./sql-findings.ts";
import type { SqlProgram } from "./sql-program.ts";
import type { SqlRules } from "./sql-rules.ts";
import type { SqlSchema } from "./sql-schema.ts";
import type { SqlStatement } from "./sql-statement.ts";

/**
 * Judges what a statement declares to read: columns, the existence of rows, the storage beneath, pragmas. Some reads the authorizer leaves in
 * doubt, and the compiled program settles: a table without columns may be a common table expression of the same name, and a
 * join by name (NATURAL, USING) does not declare the columns that it compares.
 */
export class SqlDeclaredReads {
  readonly #statement: SqlStatement;
  readonly #findings: SqlFindings;
  readonly #doubted = new Set<string>();
  #viaObject = false;
  /** Answers by table and column, as long as rules and schema are these. */
  readonly #known = new Map<string, Map<string, boolean>>();
  #knownRules: readonly SqlRules[] = [];
  #knownSchema: SqlSchema | null = null;
  /** Whether a pragma was declared that may leave the connection changed. */
  tainted = false;

  constructor(statement: SqlStatement, findings: SqlFindings) {
    this.#statement = statement;
    this.#findings = findings;
  }

  begin(): void {
    if (this.#doubted.size > 0) this.#doubted.clear();
    this.#viaObject = false;
  }

  /** @param viaObject Whether the text reads it by way of a view, a trigger or a common table expression. */
  declare(table: string, column: string, viaObject: boolean): void {
    if (this.#statement.isPragma) return;
    if (viaObject) this.#viaObject = true;
    if (table.startsWith("pragma_")) this.declarePragma(table.slice("pragma_".length), viaObject);
    else if (this.#permits(table, column)) return;
    // What the text does not name, the engine reads for itself, to check a foreign key say.
    else if (viaObject || this.#statement.mentions(table)) this.#judge(table, column);
  }

  declarePragma(name: string, viaObject: boolean): void {
    // Virtual tables ask for pragmas of their own that the text does not name.
    const statement = this.#statement;
    if (!viaObject && !statement.mentions(name) && !statement.mentions(`pragma_${name}`)) return;
    if (!tellingPragmas.has(name)) this.tainted = true;
    for (const rules of this.#findings.rules) this.#findings.add(rules.pragma(name));
  }

  /** Whether the compiled program must be asked. */
  get inDoubt(): boolean {
    return this.#doubted.size > 0 || this.#joinsByName;
  }

  /** Judges what was in doubt. Without a program every doubt counts. */
  settle(program: SqlProgram | null): void {
    for (const table of this.#doubted) if (this.#opens(program, table)) this.#report(table, "");
    this.#doubted.clear();
    if (!this.#joinsByName || program === null) return;
    for (const { table, column } of program.columnsRead()) this.#report(table, column);
    if (program.opensVirtual) this.#settleVirtual(program);
  }

  /** Which virtual table is opened a program does not tell: each counts that the text names, with the columns that it may be joined by. */
  #settleVirtual(program: SqlProgram): void {
    const statement = this.#statement;
    const { virtuals, joinedByName } = statement.schema;
    const isNatural = statement.mentions("natural");
    for (const table of virtuals) {
      const isBeneath = this.#viaObject && joinedByName.has(table);
      const isNamed = statement.joinsByName && statement.mentions(table);
      for (const column of isBeneath || isNamed ? program.columnsOf(table) : [])
        if (isBeneath || isNatural || statement.mentions(column)) this.#report(table, column);
    }
  }

  get #joinsByName(): boolean {
    const { isQuery, schema } = this.#statement;
    if (!isQuery || this.#findings.rules.length === 0) return false;
    return this.#statement.joinsByName || (schema.joinedByName.size > 0 && this.#viaObject);
  }

  #judge(table: string, column: string): void {
    const { tables, views } = this.#statement.schema;
    if (column !== "" || views.has(table)) this.#report(table, column);
    else if (!tables.has(table) && !engineTables.has(table) && !isSchemaTable(table)) return;
    else if (this.#brokenBy(table, column).length > 0) this.#doubted.add(table);
  }

  /** Whether no rule minds; remembered, since most texts read what others have read. */
  #permits(table: string, column: string): boolean {
    const { schema } = this.#statement;
    const { rules } = this.#findings;
    if (rules !== this.#knownRules || schema !== this.#knownSchema) {
      this.#known.clear();
      this.#knownRules = rules;
      this.#knownSchema = schema;
    }
    const columns = this.#known.get(table);
    const known = columns?.get(column);
    if (known !== undefined) return known;
    const permitted = this.#brokenBy(table, column).length === 0;
    if (columns === undefined) this.#known.set(table, new Map([[column, permitted]]));
    else columns.set(column, permitted);
    return permitted;
  }

  #opens(program: SqlProgram | null, table: string): boolean {
    if (program === null || table.startsWith("sqlite_temp_")) return true;
    if (isSchemaTable(table)) return program.opened.has("sqlite_schema");
    return program.opened.has(table) || (!this.#isStored(table) && program.opensVirtual);
  }

  #isStored(table: string): boolean {
    const { tables, virtuals } = this.#statement.schema;
    return tables.has(table) && !virtuals.has(table);
  }

  #report(table: string, column: string): void {
    for (const broken of this.#brokenBy(table, column)) this.#findings.add(broken);
  }

  /** Rules that reading a column breaks, or reading what it stands on. */
  #brokenBy(table: string, column: string): readonly Violation[] {
    const own = this.#findings.rules.map((rules) => this.#ask(rules, table, column));
    const broken = own.filter((found) => found !== null);
    const beneath = this.#statement.schema.beneath.get(table);
    if (beneath === undefined) return broken;
    const columns = beneath.columns.get(column) ?? beneath.all;
    const deeper = beneath.table !== table && columns.length === 0 ? [""] : columns;
    return [...broken, ...deeper.flatMap((other) => this.#brokenBy(beneath.table, other))];
  }

  #ask(rules: SqlRules, table: string, column: string): Violation | null {
    const { schema } = this.#statement;
    if (schema.shadows.has(table) || engineTables.has(table)) return rules.readRaw(table);
    if (schema.tables.has(table) || isSchemaTable(table)) return rules.read(table, column);
    return argumentTables.has(table) ? null : rules.readRaw(table);
  }
}

function isSchemaTable(table: string): boolean {
  return /^sqlite_(temp_)?(master|schema)$/.test(table);
}
