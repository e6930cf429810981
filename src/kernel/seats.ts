import type { Seat } from "./compose.ts";
import type { Judge, Policy } from "./policy.ts";
import { shadowSqlRules } from "./shadow-sql-rules.ts";

/** Judges of one episode, in the order of their policies; a policy that is off has none. */
export function seatsOf(policies: readonly Policy[]): readonly Seat[] {
  return policies
    .filter((policy) => policy.spec.mode !== "off")
    .map((policy) => {
      const shadow = policy.spec.mode === "shadow";
      const judge = policy.judge();
      return { policy: policy.name, shadow, judge: shadow ? watching(judge) : judge };
    });
}

const watchingRules = new WeakMap<object, Judge["sql"]>();

/** The judge with rules for the `sql` driver that only watch; the composition sees to the rest. */
function watching(judge: Judge): Judge {
  if (judge.sql === undefined) return judge;
  // The driver keeps statements compiled for as long as the rules are the same objects.
  const sql = watchingRules.get(judge.sql) ?? shadowSqlRules(judge.sql);
  watchingRules.set(judge.sql, sql);
  return { ...bound(judge), ...(sql === undefined ? {} : { sql }) };
}

function bound(judge: Judge): Judge {
  return {
    ...(judge.before === undefined ? {} : { before: (call) => judge.before?.(call) ?? [] }),
    ...(judge.after === undefined ? {} : { after: (call, reply, value) => judge.after?.(call, reply, value) ?? [] }),
    ...(judge.settled === undefined ? {} : { settled: (call, reply) => judge.settled?.(call, reply) ?? [] }),
  };
}
