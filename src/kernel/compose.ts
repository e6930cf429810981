import { messageOf } from "../core/errors.ts";
import type { Call, Finding, Judge, Reply } from "./policy.ts";
import { noFindings } from "./policy.ts";

/** A judge, the policy that it judges for, and whether it only watches. */
export interface Seat {
  readonly policy: string;
  readonly shadow: boolean;
  readonly judge: Judge;
}

/** A finding, and whose it is. */
export interface Found extends Finding {
  readonly policy: string;
  readonly shadow: boolean;
}

/** From the mildest to the one that beats all others. */
const decisions = ["allow", "warn", "transform", "escalate", "deny"] as const;
type Decision = (typeof decisions)[number];

/** What the policies decided together: the strictest decision, every finding, and the value as it is to be used. */
export interface Ruling {
  readonly decision: Decision;
  readonly found: readonly Found[];
  readonly value: unknown;
}

type Ask = (judge: Judge, value: unknown) => readonly Finding[] | undefined;

/** Judges the arguments of a syscall. */
export function judgeBefore(seats: readonly Seat[], call: Call): Ruling {
  return rule(seats, call.args, (judge, args) =>
    judge.before?.(args === call.args ? call : { ...call, args: args as Call["args"] }),
  );
}

/** Judges what a syscall that ran would tell the agent. */
export function judgeAfter(seats: readonly Seat[], call: Call, reply: Reply): Ruling {
  const told = reply.outcome === "completed" ? reply.result : reply.error;
  return rule(seats, told, (judge, value) => judge.after?.(call, reply, value));
}

/** Tells every judge what became of a syscall, and gathers what they find only now. */
export function settle(seats: readonly Seat[], call: Call, reply: Reply): readonly Found[] {
  let found = noneFound;
  for (const seat of seats) {
    const own = asked(seat, undefined, (judge) => judge.settled?.(call, reply));
    if (own.length > 0) found = [...found, ...own.map((finding) => owned(seat, { ...finding, decision: "warn" }))];
  }
  return found;
}

/**
 * Every policy judges the value as it came. Where nothing stops it, those that transform do so in their order, each what the
 * one before left; then every policy judges the outcome, so that no transformation makes what another policy stops.
 */
function rule(seats: readonly Seat[], value: unknown, ask: Ask): Ruling {
  const first = hear(seats, value, ask);
  if (first.decision === "deny" || !first.found.some(isTransforming)) return first;
  let changed = value;
  for (const seat of seats) if (!seat.shadow) changed = transformed(asked(seat, changed, ask), changed);
  const again = hear(seats, changed, ask);
  const found = [...first.found, ...again.found.filter(isStopping)];
  return { decision: strictest(first.decision, again.decision), found, value: changed };
}

function hear(seats: readonly Seat[], value: unknown, ask: Ask): Ruling {
  let decision: Decision = "allow";
  let found = noneFound;
  for (const seat of seats) {
    const own = asked(seat, value, ask);
    if (own.length === 0) continue;
    found = [...found, ...own.map((finding) => owned(seat, finding))];
    for (const finding of own) decision = strictest(decision, seat.shadow ? "warn" : finding.decision);
  }
  return { decision, found, value };
}

/** What a judge answers; one that cannot decide denies. */
function asked(seat: Seat, value: unknown, ask: Ask): readonly Finding[] {
  try {
    return ask(seat.judge, value) ?? noFindings;
  } catch (error) {
    return [undecided(`the policy could not decide: ${messageOf(error)}`)];
  }
}

/** The finding of a rule that could not be evaluated. */
export function undecided(description: string): Finding {
  return { decision: "deny", rule: "undecided", severity: "high", description };
}

function transformed(findings: readonly Finding[], value: unknown): unknown {
  return findings.findLast((finding) => finding.decision === "transform")?.value ?? value;
}

function owned({ policy, shadow }: Seat, finding: Finding): Found {
  return { ...finding, policy, shadow };
}

function isTransforming({ decision, shadow }: Found): boolean {
  return !shadow && decision === "transform";
}

function isStopping({ decision, shadow }: Found): boolean {
  return !shadow && (decision === "deny" || decision === "escalate");
}

function strictest(a: Decision, b: Decision): Decision {
  return decisions.indexOf(a) >= decisions.indexOf(b) ? a : b;
}

const noneFound: readonly Found[] = Object.freeze([]);
