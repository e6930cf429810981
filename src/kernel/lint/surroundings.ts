import type { Driver } from "../../core/env.ts";
import type { ResultSet } from "../../core/sql.ts";
import type { KernelSpace } from "../kernel-space.ts";
import type { LintContext } from "./lint.ts";

const columns = `SELECT lower(l.name), lower(c.name) FROM pragma_table_list AS l, pragma_table_xinfo(l.name) AS c`;

/**
 * The tables and syscalls that a booted kernel has.
 * @param drivers Drivers of an episode; `null` where they are not known, so that no syscalls are.
 */
export function surroundingsOf(
  space: KernelSpace,
  drivers: Readonly<Record<string, Driver>> | null,
): Pick<LintContext, "tables" | "syscalls"> {
  const key = { id: "lint", phase: "eval", iteration: 0, group: 0, index: 0, task: "lint" } as const;
  using session = space.open({ episode: { ...key, split: "test", seed: 0, weights: 0 }, governed: false });
  const twin = session.trust?.twin();
  const rows = (twin?.query(columns) as ResultSet | undefined)?.rows;
  twin?.[Symbol.dispose]();
  const tables = new Map<string, Set<string>>();
  for (const [table, column] of rows ?? [])
    tables.set(String(table), (tables.get(String(table)) ?? new Set()).add(String(column)));
  const mounted = Object.entries(drivers ?? {}).flatMap(([name, { operations }]) =>
    Object.keys(operations).map((operation) => `${name}.${operation}`),
  );
  return {
    tables: rows === undefined ? null : tables,
    syscalls: drivers === null ? null : new Set([...mounted, ...(rows === undefined ? [] : ["sql.query"])]),
  };
}
