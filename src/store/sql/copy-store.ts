import { sql } from "kysely";
import { FaradayError } from "../../core/errors.ts";
import type { Engine } from "./engine.ts";
import { insertRows, type Operation, rowsOnce } from "./operation.ts";
import type { Value } from "./statement.ts";
import type { Tables } from "./tables.ts";

/** Every table, those that others refer to first, with its columns and what orders its rows. Columns that databases compute are not copied. */
const tables: readonly { readonly table: keyof Tables; readonly columns: string; readonly order: string }[] = [
  { table: "runs", columns: "key id status config report started_at ended_at", order: "key" },
  {
    table: "iterations",
    columns: "key run phase iteration weights episodes metrics stored_at spans emit_violations",
    order: "key",
  },
  {
    table: "rollouts",
    columns: `key run batch episode task split group_index episode_index seed weights worker attempt outcome error_boundary error success
      reward cost scalar_reward advantage steps tokens oracle`,
    order: "key",
  },
  {
    table: "violations",
    columns: "key rollout step statement policy rule severity type description blocked penalty",
    order: "key",
  },
  {
    table: "spans",
    columns: "run episode trace_id span_id parent_id name status worker epoch start_sequence end_sequence attributes",
    order: "run, episode, span_id",
  },
  {
    table: "audit_segments",
    columns: "run worker epoch first count previous head leaf batch bytes",
    order: "run, leaf",
  },
  { table: "audit_checkpoints", columns: "run size root note phase iteration", order: "run, size" },
  { table: "trajectories", columns: "batch bytes", order: "batch" },
  {
    table: "queue_rollouts",
    columns:
      "key rollout_id input start_time end_time mode resources_id status config metadata place attempts deadline",
    order: "key",
  },
  {
    table: "queue_attempts",
    columns: "key rollout attempt_id sequence_id start_time end_time status worker_id last_heartbeat_time metadata",
    order: "key",
  },
  {
    table: "queue_workers",
    columns: `key worker_id status heartbeat_stats last_heartbeat_time last_dequeue_time last_busy_time last_idle_time current_rollout_id
      current_attempt_id`,
    order: "key",
  },
  {
    table: "queue_resources",
    columns: "key resources_id create_time update_time version resources change",
    order: "key",
  },
  {
    table: "queue_spans",
    columns: "key attempt sequence_id trace_id span_id parent_id name start_time end_time rest",
    order: "key",
  },
  { table: "queue_span_sequences", columns: "rollout_id last", order: "rollout_id" },
];

/** Rows at a time: a segment may have megabytes. */
const pieceRows = 500;
const pieceRowsOfBytes = 16;

/**
 * Copies every row of one store into another that has none; columns that are packed are copied as they are.
 * @returns How many rows.
 * @throws {FaradayError} where rows came or went meanwhile.
 */
export async function copyStore(source: Engine, target: Engine): Promise<number> {
  let total = 0;
  for (const each of tables) {
    const columns = each.columns.split(/\s+/);
    const most = columns.includes("bytes") ? pieceRowsOfBytes : pieceRows;
    let copied = 0;
    for (let count = most; count === most; copied += count) {
      const rows = await source.read(() => readRows(each.table, columns, { order: each.order, most, skip: copied }));
      count = rows.length;
      await target.write(() => insertRows({ table: each.table, columns, rows }));
    }
    const there = await target.read(() => countOf(each.table));
    const here = await source.read(() => countOf(each.table));
    if (there !== here) {
      throw new FaradayError(
        `copying ${source.name} to ${target.name}: table ${each.table} has ${here} rows, the copy ${there}; nobody may write meanwhile: empty the copy and try again`,
      );
    }
    total += copied;
  }
  if (target.dialect === "postgres") await target.write(countOn);
  return total;
}

function* readRows(
  table: string,
  columns: readonly string[],
  { order, most, skip }: { readonly order: string; readonly most: number; readonly skip: number },
): Operation<readonly (readonly Value[])[]> {
  const rows = yield* rowsOnce<Readonly<Record<string, Value>>>(({ db }) => {
    const select = sql<never>`SELECT ${sql.raw(columns.join(", "))} FROM ${sql.raw(table)} ORDER BY ${sql.raw(order)}
      LIMIT ${most} OFFSET ${skip}`;
    return { compile: () => select.compile(db) };
  });
  return rows.map((row) => columns.map((column) => row[column] ?? null));
}

function* countOf(table: string): Operation<number> {
  const [row] = yield* rowsOnce<{ count: number }>(({ db }) => {
    const count = sql<{ count: number }>`SELECT count(*) AS count FROM ${sql.raw(table)}`;
    return { compile: () => count.compile(db) };
  });
  return row?.count ?? 0;
}

/** New rows are counted on from the copied ones. */
function* countOn(): Operation<void> {
  const keyed = tables
    .filter(({ columns }) => columns.startsWith("key "))
    .map(({ table }) => ({ table, column: "key" }));
  const counters = [
    ...keyed.map(({ table }) => ({ sequence: `pg_get_serial_sequence('${table}', 'key')`, table, column: "key" })),
    { sequence: "'queue_places'", table: "queue_rollouts", column: "place" },
    { sequence: "'queue_changes'", table: "queue_resources", column: "change" },
  ];
  for (const { sequence, table, column } of counters) {
    yield* rowsOnce(({ db }) => {
      const next = `SELECT setval(${sequence}, (SELECT coalesce(max(${column}), 0) + 1 FROM ${table}), false)`;
      return { compile: () => sql.raw(next).compile(db) };
    });
  }
}
