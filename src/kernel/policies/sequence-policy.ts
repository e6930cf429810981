import { z } from "zod";
import { parseOptions } from "../parse-options.ts";
import { type Call, type Finding, type Judge, noFindings, type Policy, type Reply } from "../policy.ts";
import { compileConditions, conditions } from "./conditions.ts";
import { policyMode, severity, syscallPattern, syscallPatterns } from "./policy-fields.ts";
import { compilePatterns } from "./syscall-pattern.ts";
import { type Touched, TouchedTables } from "./touched-tables.ts";

const tables = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** Past actions: syscalls by name and argument, and for `sql.query` the tables that the text touched. */
export const pastAction = z.union([
  syscallPattern,
  z
    .strictObject({
      syscall: syscallPatterns.optional().describe("By name, prefix or *; where tables are named, sql.query"),
      read: tables.optional().describe("Tables, one of which the text read; * is any"),
      write: tables.optional().describe("Tables, one of which the text changed rows of; * is any"),
      when: conditions.optional().describe("What must hold of the arguments"),
    })
    .refine((action) => Object.keys(action).length > 0, "must say which, by syscall, read or write"),
]);
export type PastAction = z.output<typeof pastAction>;

const decides = (what: string) => syscallPatterns.optional().describe(`Syscalls that ${what} from then on`);

export const sequenceRule = z
  .strictObject({
    name: z.string().min(1).describe("The rule's name in violations"),
    after: z
      .union([pastAction, z.array(pastAction).min(1)])
      .describe("The action that arms the rule; of a list, all of them in this order"),
    until: pastAction.optional().describe("The action that disarms it; without it, it stays armed"),
    deny: decides("may not run"),
    escalate: decides("need the resolver"),
    warn: decides("are told as a violation"),
    when: conditions.optional().describe("What must hold of their arguments; what cannot be told holds"),
    severity: severity.default("high").describe("Severity of breaking the rule"),
  })
  .refine(
    ({ deny, escalate, warn }) => [deny, escalate, warn].filter((each) => each !== undefined).length === 1,
    "must have exactly one of deny, escalate and warn",
  );
export type SequenceRule = z.output<typeof sequenceRule>;

export const sequencePolicyOptions = z.strictObject({
  rules: z.array(sequenceRule).min(1).describe("Each is an automaton of its own"),
  mode: policyMode,
});
export type SequencePolicyOptions = z.input<typeof sequencePolicyOptions>;

type Matches = (call: Call, touched: Touched | null) => boolean;

/** A rule as an automaton: state n is that the first n actions have been; in the last state it is armed. */
interface Automaton {
  readonly after: readonly Matches[];
  readonly until: Matches | null;
  readonly about: (call: Call) => boolean;
  readonly finding: Finding;
}

/**
 * Forbids actions after others, such as an outward call after users were read. What has run counts, completed or failed, its
 * result withheld or not: its effect may have happened. What disarms must have completed.
 */
export class SequencePolicy implements Policy {
  readonly name = "sequence";
  readonly spec: Policy["spec"];
  readonly #automata: readonly Automaton[];
  readonly #namesTables: boolean;

  constructor(options: SequencePolicyOptions) {
    const parsed = parseOptions(sequencePolicyOptions, options, "SequencePolicy");
    this.spec = Object.freeze({ type: "sequence", ...parsed });
    this.#automata = parsed.rules.map(compileRule);
    this.#namesTables = parsed.rules
      .flatMap(({ after, until }) => [after, until ?? []].flat())
      .some((action) => typeof action === "object" && (action.read ?? action.write) !== undefined);
    Object.freeze(this);
  }

  judge(): Judge {
    const automata = this.#automata;
    const tables = this.#namesTables ? new TouchedTables() : null;
    const states = new Uint32Array(automata.length);
    const isArmed = (index: number) => states[index] === automata[index]?.after.length;
    return {
      ...(tables === null ? {} : { sql: tables.rules }),
      before: (call) => {
        let found = noFindings;
        for (const [index, { about, finding }] of automata.entries())
          if (isArmed(index) && about(call)) found = [...found, finding];
        return found;
      },
      settled: (call, reply) => {
        const touched = tables?.take(typeof call.args.sql === "string" ? call.args.sql : "") ?? null;
        if (reply.ran === true)
          for (const [index, automaton] of automata.entries())
            states[index] = nextState(automaton, states[index] as number, { call, reply, touched });
        return noFindings;
      },
    };
  }
}

function nextState(
  { after, until }: Automaton,
  state: number,
  { call, reply, touched }: { readonly call: Call; readonly reply: Reply; readonly touched: Touched | null },
): number {
  if (after[state]?.(call, touched) === true) return state + 1;
  if (until === null || reply.outcome !== "completed" || !until(call, touched)) return state;
  // What arms and disarms at once arms.
  return state > 0 && after[state - 1]?.(call, touched) === true ? state : 0;
}

function compileRule(rule: SequenceRule): Automaton {
  const decision = rule.deny !== undefined ? "deny" : rule.escalate !== undefined ? "escalate" : "warn";
  const patterns = compilePatterns(rule[decision] ?? []);
  const when = compileConditions(rule.when);
  const described = patterns.map(({ source }) => source).join(", ");
  const verb = { deny: "is not permitted", escalate: "needs somebody's permission", warn: "is better avoided" }[
    decision
  ];
  return {
    after: [rule.after].flat().map(compileAction),
    until: rule.until === undefined ? null : compileAction(rule.until),
    about: ({ syscall, args }) => patterns.some((pattern) => pattern.matches(syscall)) && when(args) !== false,
    finding: Object.freeze({
      decision,
      rule: rule.name,
      severity: rule.severity,
      description: `${described} ${verb} after what this episode did: ${rule.name}`,
    }),
  };
}

function compileAction(action: PastAction): Matches {
  const {
    syscall = "*",
    read,
    write,
    when,
  }: Exclude<PastAction, string> = typeof action === "string" ? { syscall: action } : action;
  const patterns = compilePatterns(syscall);
  const holds = compileConditions(when);
  const reads = read === undefined ? null : tablesOf(read);
  const writes = write === undefined ? null : tablesOf(write);
  return (call, touched) => {
    if (!patterns.some((pattern) => pattern.matches(call.syscall)) || holds(call.args) === false) return false;
    if (reads === null && writes === null) return true;
    return touches(reads, touched?.read) || touches(writes, touched?.written);
  };
}

function tablesOf(names: string | readonly string[]): readonly string[] {
  return [names].flat().map((name) => name.toLowerCase());
}

function touches(names: readonly string[] | null, touched: ReadonlySet<string> | undefined): boolean {
  if (names === null || touched === undefined) return false;
  return names.some((name) => (name === "*" ? touched.size > 0 : touched.has(name)));
}
