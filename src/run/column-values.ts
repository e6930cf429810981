import type { KernelSpace } from "../kernel/kernel-space.ts";
import type { ColumnValues } from "../model/value-swap.ts";
import { queryRows } from "./query-rows.ts";

const columnsMax = 500;
const valuesMax = 400;
const charactersMax = 60;

/**
 * Texts of the database by column name in lower case, read as an agent reads: through the kernel, under its policies. What they deny is
 * left out; without a database there is none.
 */
export async function columnValues(kernel: KernelSpace): Promise<ColumnValues> {
  const values = new Map<string, string[]>();
  for (const [table, column] of await textColumns(kernel)) {
    const [from, name] = [quoted(table), quoted(column)];
    const found =
      (await queryRows(
        kernel,
        `SELECT DISTINCT ${name} FROM ${from} WHERE typeof(${name}) = 'text' AND length(${name}) <= ${charactersMax} ORDER BY 1 LIMIT ${valuesMax}`,
      )) ?? [];
    const known = values.get(column.toLowerCase()) ?? [];
    const texts = found.map(([value]) => String(value)).filter((text) => /^[\p{L}\p{N}]/u.test(text));
    if (texts.length > 0) values.set(column.toLowerCase(), [...new Set([...known, ...texts])]);
  }
  return values;
}

async function textColumns(kernel: KernelSpace): Promise<(readonly [table: string, column: string])[]> {
  const rows =
    (await queryRows(
      kernel,
      `SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, c.cid LIMIT ${columnsMax}`,
    )) ?? [];
  return rows.map(([table, column]) => [String(table), String(column)] as const);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
