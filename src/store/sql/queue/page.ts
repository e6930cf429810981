import { type RawBuilder, sql } from "kysely";
import type { FilterQuery, Page } from "../../rollout-query.ts";
import { BadValueError } from "../../store-errors.ts";
import type { Dialect } from "../dialect.ts";
import { type Operation, rowsOnce } from "../operation.ts";

/** What can be listed. */
export interface Listing {
  /** A table or view, or several that are joined. */
  readonly from: RawBuilder<unknown>;
  readonly select: RawBuilder<unknown>;
  /** Columns to sort by, each with what it holds. */
  readonly sortable: Readonly<Record<string, "text" | "number">>;
  /** What orders rows that are equal otherwise: the order of adding. */
  readonly order: RawBuilder<unknown>;
}

/** One condition of a filter. */
export type Condition = (dialect: Dialect) => RawBuilder<boolean>;

export interface Conditions {
  /** Hold whatever the query's logic is. */
  readonly must?: readonly Condition[];
  readonly filters: readonly Condition[];
}

/** @throws {BadValueError} for a limit, offset or field that cannot be. */
export function* pageOf<Row>(listing: Listing, query: FilterQuery, conditions: Conditions): Operation<Page<Row>> {
  const { limit = -1, offset = 0 } = query;
  if (!Number.isInteger(limit) || limit === 0 || limit < -1) {
    throw new BadValueError(`limit must be -1 or at least 1, got ${limit}`);
  }
  if (!Number.isInteger(offset) || offset < 0) throw new BadValueError(`offset must be at least 0, got ${offset}`);
  const { from, select } = listing;
  const items = yield* rowsOnce<Row>(({ db, dialect }) => {
    const where = whereOf(query, conditions, dialect);
    const order = orderOf(listing, query, dialect);
    const most = limit < 0 ? sql.raw(dialect === "sqlite" ? "-1" : "ALL") : sql`${limit}`;
    const rows = sql<Row>`SELECT ${select} FROM ${from} WHERE ${where} ORDER BY ${order} LIMIT ${most} OFFSET ${offset}`;
    return { compile: () => rows.compile(db) };
  });
  if (limit < 0 && offset === 0) return { items, limit, offset, total: items.length };
  const counted = yield* rowsOnce<{ total: number }>(({ db, dialect }) => {
    const rows = sql<{
      total: number;
    }>`SELECT count(*) AS total FROM ${from} WHERE ${whereOf(query, conditions, dialect)}`;
    return { compile: () => rows.compile(db) };
  });
  return { items, limit, offset, total: counted[0]?.total ?? 0 };
}

export function equals(column: string, value: string | number | null | undefined): readonly Condition[] {
  return value === null || value === undefined ? [] : [() => sql`${sql.ref(column)} = ${value}`];
}

export function within(column: string, values: readonly string[] | null | undefined): readonly Condition[] {
  if (values === null || values === undefined) return [];
  return [() => (values.length === 0 ? sql`1 = 0` : sql`${sql.ref(column)} IN (${sql.join([...values])})`)];
}

export function contains(column: string, part: string | null | undefined): readonly Condition[] {
  if (part === null || part === undefined) return [];
  return [(dialect) => sql`${sql.raw(dialect === "sqlite" ? "instr" : "strpos")}(${sql.ref(column)}, ${part}) > 0`];
}

function whereOf(query: FilterQuery, { must = [], filters }: Conditions, dialect: Dialect): RawBuilder<unknown> {
  const logic = query.filter_logic === "or" ? sql` OR ` : sql` AND `;
  const parts =
    filters.length === 0
      ? []
      : [
          sql`(${sql.join(
            filters.map((filter) => filter(dialect)),
            logic,
          )})`,
        ];
  const all = [...must.map((condition) => condition(dialect)), ...parts];
  return all.length === 0 ? sql`1 = 1` : sql.join(all, sql` AND `);
}

/** A time that is not there is later than all others; any other value that is not there comes first. */
function orderOf({ sortable, order }: Listing, query: FilterQuery, dialect: Dialect): RawBuilder<unknown> {
  const { sort_by: by = null, sort_order: direction = "asc" } = query;
  if (by === null) return order;
  const kind = Object.hasOwn(sortable, by) ? sortable[by] : undefined;
  if (kind === undefined) {
    throw new BadValueError(`sort_by must be one of ${Object.keys(sortable).join(", ")}, got ${JSON.stringify(by)}`);
  }
  const absent = by.endsWith("_time") ? sql.raw("1e308") : sql.raw(kind === "text" ? "''" : "0");
  const value = sql`coalesce(${sql.ref(by)}, ${absent})`;
  // Bytes, as SQLite and every client compare them, whatever the database's language.
  const plain = kind === "text" && dialect === "postgres" ? sql`${value} COLLATE "C"` : value;
  return sql`${plain} ${sql.raw(direction === "desc" ? "DESC" : "ASC")}, ${order}`;
}
