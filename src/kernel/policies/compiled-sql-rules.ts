import type { Severity, Violation } from "../../core/syscall.ts";
import type { SqlEffect, SqlLimits, SqlRules } from "../drivers/sql/sql-rules.ts";
import { violation } from "../violation.ts";
import type { SQLPolicySettings, TableGrant } from "./sql-policy.ts";

/** What no configuration permits: it would reach past the database, the kernel's savepoint, or the grants. */
const alwaysDenied: readonly SqlEffect[] = ["ATTACH", "TRANSACTION", "VACUUM", "EXTENSION", "GRANT"];
/** What no table grant covers: denied as soon as tables are granted at all. */
const ungrantable: readonly SqlEffect[] = ["CREATE", "DROP", "ALTER", "REINDEX", "ANALYZE"];
const rawPages = "sqlite_dbpage";

/** Turns the settings of an SQL policy into answers that are looked up. */
export function compileSqlRules(settings: SQLPolicySettings, policy: string): SqlRules {
  const denied = new Set<SqlEffect>([...alwaysDenied, ...settings.deny, ...(settings.tables ? ungrantable : [])]);
  const grants = settings.tables === undefined ? null : new Grants(settings.tables);
  const pragmas = new Set(settings.pragmas.map((name) => name.toLowerCase()));
  const known = new Map<string, Violation | null>();
  const price = (effect: SqlEffect): Severity => settings.severity[effect] ?? settings.severity.default;

  /** The answer to a question that has been asked before, or a new one; names are bounded by the schema. */
  const once = (question: string, answer: () => Violation | null): Violation | null => {
    let found = known.get(question);
    if (found === undefined) {
      if (known.size >= knownMax) known.clear();
      found = answer();
      known.set(question, found);
    }
    return found;
  };
  const broken = (rule: string, severity: Severity, description: string): Violation =>
    violation({ policy, rule, severity, description });

  return Object.freeze({
    limits: limitsOf(settings),

    effect: (effect: SqlEffect, table: string) =>
      once(`${effect} ${table}`, () => {
        const named = table === "" ? effect : `${effect} on ${table}`;
        if (denied.has(effect)) return broken(effect, price(effect), `${named} is not permitted`);
        if (grants === null || grants.allows(effect, table)) return null;
        return broken(`${effect.toLowerCase()} ${table}`, price(effect), `${named} is not granted`);
      }),

    read: (table: string, column: string) =>
      once(`read ${table}.${column}`, () => {
        if (grants === null || grants.reads(table, column)) return null;
        const subject = column === "" || !grants.readsSome(table) ? table : `${table}.${column}`;
        return broken(`read ${subject}`, price("SELECT"), `reading ${subject} is not granted`);
      }),

    readRaw: (table: string) =>
      once(`raw ${table}`, () => {
        if (table !== rawPages && (grants === null || grants.names(table))) return null;
        return broken(`read ${table}`, price("SELECT"), `reading ${table} is not permitted`);
      }),

    pragma: (name: string) =>
      once(`pragma ${name}`, () => {
        if (pragmas.has(name) && !denied.has("PRAGMA")) return null;
        return broken(`PRAGMA ${name}`, price("PRAGMA"), `PRAGMA ${name} is not permitted`);
      }),

    attempt: (effect: SqlEffect, subject: string, exists: boolean) => {
      const named = subject === "" ? effect : `${effect} on ${subject}`;
      const attempted = (rule: string) => broken(rule, "low", `${named} is not permitted, not even where it fails`);
      if (denied.has(effect)) return attempted(effect);
      if (effect === "PRAGMA") return pragmas.has(subject) ? null : attempted(`PRAGMA ${subject}`);
      if (grants === null) return null;
      if (exists && effect === "SELECT") return grants.readsSome(subject) ? null : attempted(`read ${subject}`);
      if (exists) return grants.allows(effect, subject) ? null : attempted(`${effect.toLowerCase()} ${subject}`);
      return effect === "DELETE" && !grants.deletesSome() ? attempted(effect) : null;
    },

    tamper: (table: string) => broken(`write ${table}`, "low", `writing to ${table} is not permitted`),

    exceeded: (limit: keyof SqlLimits) =>
      once(`limit ${limit}`, () =>
        broken(
          `limit ${limit}`,
          settings.severity.LIMIT ?? settings.severity.default,
          `the limit of ${limitsOf(settings)[limit]} ${limit} was exceeded`,
        ),
      ) as Violation,
  });
}

const knownMax = 10_000;

function limitsOf(settings: SQLPolicySettings): SqlLimits {
  return Object.freeze({ ...settings.limits, rowsChanged: settings.limits.rowsChanged ?? Number.POSITIVE_INFINITY });
}

/** Table grants by lower-case name: an exact name beats `*`, and what neither says is not granted. */
class Grants {
  readonly #byName: ReadonlyMap<string, TableGrant>;
  readonly #others: TableGrant | undefined;

  constructor(tables: Readonly<Record<string, TableGrant>>) {
    this.#byName = new Map(Object.entries(tables).map(([name, grant]) => [canonical(name), grant]));
    this.#others = this.#byName.get("*");
  }

  names(table: string): boolean {
    return readable(this.#byName.get(canonical(table)));
  }

  reads(table: string, column: string): boolean {
    const select = this.#of(table)?.select ?? false;
    if (typeof select === "boolean") return select;
    return !select.except.some((name) => name.toLowerCase() === column);
  }

  readsSome(table: string): boolean {
    return readable(this.#of(table));
  }

  deletesSome(): boolean {
    return [...this.#byName.values()].some((grant) => grant.delete);
  }

  allows(effect: SqlEffect, table: string): boolean {
    const grant = this.#of(table);
    switch (effect) {
      case "INSERT":
        return grant?.insert ?? false;
      case "UPDATE":
        return grant?.update ?? false;
      case "DELETE":
        return grant?.delete ?? false;
      default:
        return true;
    }
  }

  #of(table: string): TableGrant | undefined {
    return this.#byName.get(canonical(table)) ?? this.#others;
  }
}

function readable(grant: TableGrant | undefined): boolean {
  return grant !== undefined && grant.select !== false;
}

/** SQLite's two names of the schema table are one. */
function canonical(table: string): string {
  const name = table.toLowerCase();
  return name === "sqlite_schema" ? "sqlite_master" : name;
}
