import type { KernelSpace } from "../kernel/kernel-space.ts";
import type { ReplayedDemonstration } from "./demonstrations.ts";
import { tidyQuery } from "./import/query-text.ts";
import { plainQuery, type SchemaColumns } from "./plain-query.ts";
import { queryRows } from "./query-rows.ts";

/**
 * Makes demonstrations' queries plainer, see {@link tidyQuery} and {@link plainQuery}. One that does not return the same rows, in the kernel under its policies,
 * stays as it is.
 */
export async function plainQueriesIn(
  kernel: KernelSpace,
): Promise<(demonstrations: readonly ReplayedDemonstration[]) => Promise<readonly ReplayedDemonstration[]>> {
  const schema = await schemaColumns(kernel);
  const names = new Set([...schema].flatMap(([table, columns]) => [table, ...columns]));
  const known = new Map<string, string>();
  const plain = async (action: string) => {
    const tidy = tidyQuery(action, names);
    const found = known.get(action) ?? (await confirmed(kernel, action, [plainQuery(tidy, schema), tidy]));
    known.set(action, found);
    return found;
  };
  return async (demonstrations) => {
    const made: ReplayedDemonstration[] = [];
    for (const demonstration of demonstrations) {
      const actions: string[] = [];
      for (const action of demonstration.actions) actions.push(await plain(action));
      made.push({ ...demonstration, actions });
    }
    return made;
  };
}

/** The plainest form with the rows of the query; where that has none, for strings in double quotes, with those of its tidy form. */
async function confirmed(
  kernel: KernelSpace,
  action: string,
  [plainer, tidy]: readonly [string, string],
): Promise<string> {
  if (plainer === action) return action;
  const own = await queryRows(kernel, action);
  const base = own === null ? tidy : action;
  const rows = own ?? (await queryRows(kernel, tidy));
  if (rows === null) return action;
  const others = await queryRows(kernel, plainer);
  return others !== null && JSON.stringify(rows) === JSON.stringify(others) ? plainer : base;
}

async function schemaColumns(kernel: KernelSpace): Promise<SchemaColumns> {
  const rows = await queryRows(
    kernel,
    "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type IN ('table', 'view') ORDER BY 1, c.cid",
  );
  const schema = new Map<string, Set<string>>();
  for (const [table, column] of rows ?? []) {
    const name = String(table).toLowerCase();
    schema.set(name, (schema.get(name) ?? new Set()).add(String(column).toLowerCase()));
  }
  return schema;
}
