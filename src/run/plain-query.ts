import { type QualifiedColumn, type QueryScope, type QuerySource, queryOutline } from "./query-scopes.ts";

/** Columns of tables, all names in lower case. */
export type SchemaColumns = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * A query with fewer words, for a model that must write every one: columns are qualified only where their name alone would be another's,
 * and tables have another name only where that is needed. Words are in lower case, as questions have them: a column's name that is a word of
 * the question is the same token. What cannot be read stays as it is.
 */
export function plainQuery(sql: string, schema: SchemaColumns): string {
  const outline = queryOutline(sql);
  if (outline === null) return sql;
  const { tokens, sources, columns } = outline;
  const changes = new Map<number, string>();
  const left = new Map<QuerySource, QualifiedColumn[]>();
  for (const column of columns) {
    const source = sourceOf(column);
    if (source === null) continue;
    if (isClear(column, source, schema)) for (const part of [0, 1]) changes.set(column.token + part, "");
    else left.set(source, [...(left.get(source) ?? []), column]);
  }
  for (const source of sources) {
    const qualified = left.get(source) ?? [];
    const [first] = source.aliasTokens;
    if (first === undefined || !qualified.every((column) => isAlone(column, source))) continue;
    for (const token of source.aliasTokens) changes.set(token, removed);
    for (const { token } of qualified) changes.set(token, tokens[first - 1]?.text ?? "");
  }
  return written(sql, tokens, changes);
}

const quotedOrWord = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[A-Za-z_][\w$]*/g;

/** Stands for no text, and no blank before it. */
const removed = "\b";

/** Whether the table's own name would mean the source, where the column is read. */
function isAlone({ scope }: QualifiedColumn, source: QuerySource): boolean {
  const { table } = source;
  for (let at: QueryScope | null = scope; at !== null && table !== null; at = at.parent) {
    if (at.sources.some((other) => other !== source && (other.alias === table || other.table === table))) return false;
    if (at.sources.includes(source)) return true;
  }
  return false;
}

/** The source that an alias means: the innermost. */
function sourceOf({ alias, scope }: QualifiedColumn): QuerySource | null {
  for (let at: QueryScope | null = scope; at !== null; at = at.parent) {
    const found = at.sources.find((source) => source.alias === alias);
    if (found !== undefined) return found;
  }
  return null;
}

/** Whether the column's name alone means the same column. */
function isClear({ column, scope }: QualifiedColumn, source: QuerySource, schema: SchemaColumns): boolean {
  for (let at: QueryScope | null = scope; at !== null; at = at.parent) {
    const having = at.sources.filter((other) => mayHave(other, column, schema));
    const isOwn = at.sources.includes(source);
    if (at.given.has(column)) return false;
    if (isOwn) return having.length === 1 && having[0] === source && isSure(source, column, schema);
    if (having.length > 0) return false;
  }
  return false;
}

function mayHave({ table, inner }: QuerySource, column: string, schema: SchemaColumns): boolean {
  if (table !== null) return schema.get(table)?.has(column) ?? true;
  return inner === null || inner.selected.includes(column) || inner.selected.includes("*");
}

function isSure({ table, inner }: QuerySource, column: string, schema: SchemaColumns): boolean {
  return table === null ? (inner?.selected.includes(column) ?? false) : (schema.get(table)?.has(column) ?? false);
}

function written(
  sql: string,
  tokens: readonly { readonly text: string; readonly start: number; readonly end: number }[],
  changes: ReadonlyMap<number, string>,
): string {
  let text = "";
  let from = 0;
  tokens.forEach(({ start, end }, index) => {
    const change = changes.get(index);
    if (change === undefined) return;
    const before = text + sql.slice(from, start);
    text = change === removed ? before.trimEnd() : before + change;
    from = end;
  });
  return (text + sql.slice(from)).replace(quotedOrWord, (part) => (/^['"`[]/.test(part) ? part : part.toLowerCase()));
}
