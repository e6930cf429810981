import { messageOf } from "../core/errors.ts";
import type { SyscallResult, Violation } from "../core/syscall.ts";
import { type Found, judgeAfter, judgeBefore, type Ruling, type Seat, settle } from "./compose.ts";
import { plainCopy } from "./plain-copy.ts";
import type { Call, Reply } from "./policy.ts";
import type { Resolver } from "./resolver.ts";
import type { DriverReply, Refusal, SessionDrivers, Target } from "./session-drivers.ts";
import { type Fate, noViolations, violationOf } from "./violation.ts";

/** What became of a syscall, before it is put into words and recorded. */
export type Answer = Pick<SyscallResult, "outcome" | "args" | "result" | "error"> & {
  readonly violations: readonly Violation[];
  /** Whether it was denied because nobody allowed what a policy escalated. */
  readonly escalated?: boolean;
};

export interface MediationParts {
  readonly episode: string;
  readonly governed: boolean;
  readonly seats: readonly Seat[];
  readonly drivers: SessionDrivers;
  readonly resolver: Resolver | undefined;
  /** Whether the episode was killed, so that nothing may be performed any more. */
  readonly killed: () => boolean;
}

/** One syscall under way: the violations so far, as they will be told. */
interface Course {
  readonly call: Call;
  readonly violations: readonly Violation[];
  /** Whether policies changed the arguments. */
  readonly changed?: boolean;
}

const permitted: Fate = { denied: false };
const denied: Fate = { denied: true };

/** Judges syscalls before and after they are performed: the way that every one goes. */
export class Mediation {
  readonly #parts: MediationParts;

  constructor(parts: MediationParts) {
    this.#parts = parts;
  }

  /** @param fault What is wrong with the syscall, where it is not one. */
  mediate(call: Call, fault?: string): Answer | Promise<Answer> {
    if (fault !== undefined) return this.#refuse(call, { rule: "bad-arguments", description: fault }, []);
    const target = this.#parts.drivers.find(call);
    const offered = "perform" in target && target.args !== call.args ? { ...call, args: target.args } : call;
    const ruling = judgeBefore(this.#parts.seats, offered);
    if (!("perform" in target)) return this.#refuse(offered, target, ruling.found);
    if (ruling.decision === "deny") return this.#deny({ call: offered, violations: told(ruling, denied) });
    if (ruling.decision === "allow") return this.#perform({ call: offered, violations: noViolations }, target);
    const changed = ruling.value === offered.args ? target : this.#changedTarget(offered, ruling.value);
    if (!("perform" in changed)) return this.#refuse(offered, changed, ruling.found);
    const next = { call: { ...offered, args: changed.args }, changed: changed !== target };
    if (ruling.decision !== "escalate") return this.#perform({ ...next, violations: told(ruling, permitted) }, changed);
    return this.#escalate({ ...next, violations: noViolations }, ruling, (violations) =>
      this.#perform({ ...next, violations }, changed),
    );
  }

  /** The target for arguments that policies have changed. */
  #changedTarget(call: Call, args: unknown): Target | Refusal {
    const { value, fault } = plainCopy(args);
    if (fault === undefined && typeof value === "object" && value !== null && !Array.isArray(value))
      return this.#parts.drivers.find({ ...call, args: value as Call["args"] });
    return { rule: "bad-arguments", description: "what a policy made of the arguments is not an object of plain data" };
  }

  #perform(course: Course, target: Target): Answer | Promise<Answer> {
    if (this.#parts.killed()) return this.#deny(course);
    const reply = target.perform();
    return reply instanceof Promise
      ? reply.then((settled) => this.#judgeReply(course, settled))
      : this.#judgeReply(course, reply);
  }

  #judgeReply(earlier: Course, reply: DriverReply): Answer | Promise<Answer> {
    const course = including(earlier, reply.violations);
    const { call } = course;
    if (reply.outcome === "denied") return this.#deny(course, reply);
    const ran = { ...reply, ran: true } as const;
    const ruling = judgeAfter(this.#parts.seats, call, ran);
    if (ruling.decision === "deny") return this.#deny(including(course, told(ruling, denied)), ran);
    const changed = withValue(ran, ruling.value);
    if (ruling.decision !== "escalate") return this.#finish(including(course, told(ruling, permitted)), changed);
    return this.#escalate(course, ruling, (all) => this.#finish({ ...course, violations: all }, changed), ran);
  }

  /** Lets the resolver decide, and goes on with what it allows. */
  #escalate(
    course: Course,
    ruling: Ruling,
    allowed: (violations: readonly Violation[]) => Answer | Promise<Answer>,
    reply?: Reply,
  ): Answer | Promise<Answer> {
    const asked = this.#resolve(including(course, told(ruling, permitted)));
    const decide = (resolution: "allow" | Found | null) => {
      if (resolution === "allow")
        return allowed(including(course, told(ruling, { denied: false, resolved: "allow" })).violations);
      const why = resolution === null ? ruling : { ...ruling, found: [...ruling.found, resolution] };
      return { ...this.#deny(including(course, told(why, denied)), reply), escalated: true };
    };
    return asked instanceof Promise ? asked.then(decide) : decide(asked);
  }

  /** `allow`, or `null` for a denial, or why there is no decision. */
  #resolve({ call, violations }: Course): "allow" | Found | null | Promise<"allow" | Found | null> {
    const { resolver, episode } = this.#parts;
    if (resolver === undefined) return null;
    const { syscall, args, step } = call;
    try {
      const given: unknown = resolver(Object.freeze({ episode, step, syscall, args, violations }));
      return given instanceof Promise ? given.then(resolution, unresolved) : resolution(given);
    } catch (error) {
      return unresolved(error);
    }
  }

  #refuse(call: Call, { rule, description }: Refusal, found: readonly Found[]): Answer {
    if (!this.#parts.governed) return { outcome: "failed", error: description, violations: noViolations };
    const broken = kernelFinding(rule, description);
    return this.#deny({ call, violations: [...found, broken].map((each) => violationOf(each, denied)) });
  }

  #deny(course: Course, reply?: Reply): Answer {
    const { result: _, error: __, ...rest } = reply ?? {};
    return this.#finish(course, { ...rest, outcome: "denied" });
  }

  #finish({ call, violations, changed = false }: Course, reply: Reply): Answer {
    const late = settle(this.#parts.seats, call, reply);
    const { outcome, result, error } = reply;
    return {
      outcome,
      violations: joined(violations, told({ found: late }, permitted)),
      ...(changed && reply.ran === true ? { args: call.args } : {}),
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
    };
  }
}

function told({ found }: Pick<Ruling, "found">, fate: Fate): readonly Violation[] {
  return found.length === 0 ? noViolations : found.map((each) => violationOf(each, fate));
}

function including(course: Course, more: readonly Violation[]): Course {
  return more.length === 0 ? course : { ...course, violations: joined(course.violations, more) };
}

function joined(first: readonly Violation[], second: readonly Violation[]): readonly Violation[] {
  if (second.length === 0) return first;
  return first.length === 0 ? second : [...first, ...second];
}

/** The reply with what policies made of its result or of its error text. */
function withValue(reply: Reply & { readonly ran: true }, value: unknown): Reply {
  if (reply.outcome === "completed") return value === reply.result ? reply : { ...reply, result: value };
  return value === reply.error ? reply : { ...reply, error: String(value) };
}

function resolution(given: unknown): "allow" | Found | null {
  if (given === "allow") return "allow";
  if (given === "deny") return null;
  return kernelFinding("resolver", `the resolver must answer "allow" or "deny", got ${typeof given}`);
}

function unresolved(error: unknown): Found {
  return kernelFinding("resolver", `the resolver could not decide: ${messageOf(error)}`);
}

function kernelFinding(rule: string, description: string): Found {
  return { policy: "kernel", shadow: false, decision: "deny", rule, severity: "medium", description };
}
