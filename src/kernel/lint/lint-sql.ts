import { isDeepStrictEqual } from "node:util";
import type { SqlLimit } from "../drivers/sql/sql-rules.ts";
import { driverLimits } from "../drivers/sql/sql-session.ts";
import type { SQLPolicySettings, TableGrant } from "../policies/sql-policy.ts";
import type { LintContext, LintFinding } from "./lint.ts";

const grantable = ["select", "insert", "update", "delete"] as const;

export function lintSql(settings: SQLPolicySettings, { tables }: LintContext): readonly LintFinding[] {
  const grants = Object.entries(settings.tables ?? {});
  const others = settings.tables?.["*"];
  return [
    ...repeated(settings.deny),
    ...grants.flatMap(([name, grant]) => [
      ...lintGrant(name, grant, settings),
      ...(tables === null ? [] : lintNames(name, grant, tables)),
      ...lintOverlap(name, grant, { names: grants.map(([each]) => each), others }),
    ]),
    ...lintLimits(settings),
  ];
}

function repeated(deny: readonly string[]): readonly LintFinding[] {
  const twice = deny.filter((effect, index) => deny.indexOf(effect) < index);
  return twice.map((effect) => ({ path: "deny", problem: `names ${effect} twice` }));
}

/** What a table grants and `deny` takes away. */
function lintGrant(name: string, grant: TableGrant, { deny }: SQLPolicySettings): readonly LintFinding[] {
  return grantable
    .filter((kind) => grant[kind] !== false && deny.some((effect) => effect.toLowerCase() === kind))
    .map((kind) => ({
      path: `tables.${name}.${kind}`,
      problem: `grants nothing: deny has ${kind.toUpperCase()}, which no grant overrides`,
    }));
}

function lintNames(
  name: string,
  { select }: TableGrant,
  tables: ReadonlyMap<string, ReadonlySet<string>>,
): readonly LintFinding[] {
  const columns = tables.get(name.toLowerCase());
  const path = `tables.${name}`;
  if (name !== "*" && columns === undefined)
    return [{ path, problem: "names a table that the database does not have" }];
  if (typeof select === "boolean") return [];
  const known = name === "*" ? new Set([...tables.values()].flatMap((each) => [...each])) : columns;
  return select.except
    .filter((column) => known?.has(column.toLowerCase()) !== true)
    .map((column) => ({ path: `${path}.select.except`, problem: `names a column that is not there: ${column}` }));
}

function lintOverlap(
  name: string,
  grant: TableGrant,
  { names, others }: { readonly names: readonly string[]; readonly others: TableGrant | undefined },
): readonly LintFinding[] {
  const path = `tables.${name}`;
  const later = names.slice(names.indexOf(name) + 1).find((each) => each.toLowerCase() === name.toLowerCase());
  if (later !== undefined) return [{ path, problem: `is shadowed by tables.${later}, the same table` }];
  if (name === "*" || others === undefined || !isDeepStrictEqual(grant, others)) return [];
  return [{ path, problem: 'says the same as tables."*"' }];
}

function lintLimits({ limits }: SQLPolicySettings): readonly LintFinding[] {
  return (Object.entries(limits) as [SqlLimit, number | undefined][])
    .filter(([limit, value]) => value !== undefined && value > driverLimits[limit])
    .map(([limit, value]) => ({
      path: `limits.${limit}`,
      problem: `is ${value}, more than the driver's own ${driverLimits[limit]}, which stops a text first`,
    }));
}
