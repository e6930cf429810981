import type { Violation } from "../core/syscall.ts";
import type { SqlLimit, SqlRules } from "./drivers/sql/sql-rules.ts";
import { watched } from "./violation.ts";

/** The same rules, watching: they find what they would have found, and stop nothing. */
export function shadowSqlRules(rules: SqlRules): SqlRules {
  const known = new WeakMap<Violation, Violation>();
  /** One watched violation for each, as the driver tells them apart by identity. */
  const told = (broken: Violation): Violation => {
    const found = known.get(broken) ?? watched(broken);
    known.set(broken, found);
    return found;
  };
  const perhaps = (broken: Violation | null) => (broken === null ? null : told(broken));
  return Object.freeze({
    shadow: true,
    limits: rules.limits,
    effect: (...question: Parameters<SqlRules["effect"]>) => perhaps(rules.effect(...question)),
    read: (...question: Parameters<SqlRules["read"]>) => perhaps(rules.read(...question)),
    readRaw: (...question: Parameters<SqlRules["readRaw"]>) => perhaps(rules.readRaw(...question)),
    pragma: (...question: Parameters<SqlRules["pragma"]>) => perhaps(rules.pragma(...question)),
    attempt: (...question: Parameters<SqlRules["attempt"]>) => perhaps(rules.attempt(...question)),
    tamper: (...question: Parameters<SqlRules["tamper"]>) => perhaps(rules.tamper(...question)),
    exceeded: (limit: SqlLimit) => told(rules.exceeded(limit)),
  });
}
