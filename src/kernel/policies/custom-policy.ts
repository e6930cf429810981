import { z } from "zod";
import { type Severity, severities } from "../../core/syscall.ts";
import { parseOptions } from "../parse-options.ts";
import { type Finding, type Judge, noFindings, type Policy } from "../policy.ts";
import { UserModule } from "../user-module.ts";
import { policyMode } from "./policy-fields.ts";

export const customPolicyOptions = z.strictObject({
  module: z
    .string()
    .min(1)
    .describe("File whose default export makes a judge: (options) => { before?, after?, settled? }"),
  options: z.json().optional().describe("What the function is given"),
  name: z.string().min(1).default("custom").describe("The policy's name in violations"),
  mode: policyMode,
});
export type CustomPolicyOptions = z.input<typeof customPolicyOptions>;

/** A finding as a policy of the user's may write it. */
export type CustomFinding = Pick<Finding, "decision" | "rule" | "value"> & {
  /** Default: `medium`. */
  readonly severity?: Severity;
  /** Default: the rule. */
  readonly description?: string;
};

type Found = CustomFinding | readonly CustomFinding[] | null | undefined;

/** What the default export of a policy module makes for each episode; see {@link Judge} for when each is called. */
export interface CustomJudge {
  before?(...given: Parameters<NonNullable<Judge["before"]>>): Found;
  after?(...given: Parameters<NonNullable<Judge["after"]>>): Found;
  settled?(...given: Parameters<NonNullable<Judge["settled"]>>): Found;
}

/** A policy that a module of the user's makes. What it throws, or answers other than findings, denies. */
export class CustomPolicy implements Policy {
  readonly name: string;
  readonly spec: Policy["spec"];
  readonly identity: unknown;
  readonly #module: UserModule;
  readonly #options: unknown;
  #make: ((options: unknown) => unknown) | undefined;

  /** @throws {InputError} when the module cannot be read. */
  constructor(options: CustomPolicyOptions) {
    const parsed = parseOptions(customPolicyOptions, options, "CustomPolicy");
    this.#module = new UserModule(parsed.module, "kernel.policies[custom].module");
    this.name = parsed.name;
    this.#options = deepFrozen(structuredClone(parsed.options));
    this.spec = Object.freeze({ type: "custom", ...parsed, module: this.#module.file });
    this.identity = Object.freeze({ ...this.spec, module: { sha256: this.#module.sha256 } });
    Object.freeze(this);
  }

  async load(): Promise<void> {
    this.#make ??= (await this.#module.load()) as (options: unknown) => unknown;
  }

  judge(): Judge {
    return checkedJudge(() => {
      if (this.#make === undefined) throw new Error("the module has not been loaded");
      return this.#make(this.#options);
    });
  }
}

const customFinding = z.strictObject({
  decision: z.enum(["warn", "transform", "escalate", "deny"]),
  rule: z.string().min(1),
  severity: z.enum(severities).default("medium"),
  description: z.string().optional(),
  value: z.unknown().optional(),
});
const customFindings = z.array(customFinding);

/** A judge whose maker is not trusted: what it is, and what it answers, is checked each time. */
export function checkedJudge(make: () => unknown): Judge {
  let made: Partial<Record<string, unknown>>;
  try {
    const judge = make();
    if (typeof judge !== "object" || judge === null || judge instanceof Promise)
      throw new Error("it must give a judge { before?, after?, settled? }");
    made = judge as typeof made;
    const { before, after, settled } = made;
    const unknown = [before, after, settled].find((each) => each !== undefined && typeof each !== "function");
    if (unknown !== undefined) throw new Error("before, after and settled must be functions");
    if (before === undefined && after === undefined && settled === undefined)
      throw new Error("a judge must have before, after or settled");
  } catch (error) {
    return {
      before: () => {
        throw error;
      },
    };
  }
  const ask = (method: unknown, first: unknown, second?: unknown, third?: unknown) =>
    method === undefined ? noFindings : findingsOf((method as Asked).call(made, first, second, third));
  const { before, after, settled, sql } = made;
  let broken: unknown;
  return {
    before: (call) => {
      if (broken !== undefined) throw broken;
      return ask(before, call);
    },
    after: (call, reply, value) => ask(after, call, reply, value),
    settled: (call, reply) => {
      if (broken !== undefined) return [];
      try {
        return ask(settled, call, reply);
      } catch (error) {
        // It lost count: nothing that follows can be decided.
        broken ??= error ?? new Error("settled threw nothing");
        throw error;
      }
    },
    ...(sql === undefined ? {} : { sql: sql as NonNullable<Judge["sql"]> }),
  };
}

type Asked = (first: unknown, second: unknown, third: unknown) => unknown;

function findingsOf(given: unknown): readonly Finding[] {
  if (given === null || given === undefined) return noFindings;
  const parsed = customFindings.safeParse(Array.isArray(given) ? given : [given]);
  if (!parsed.success)
    throw new Error(`a judge must answer findings { decision, rule, … }: ${z.prettifyError(parsed.error)}`);
  for (const { decision, value } of parsed.data)
    if (decision === "transform" && value === undefined) throw new Error("a transform must have a value");
  return parsed.data.map((finding) => ({ ...finding, description: finding.description ?? finding.rule }));
}

function deepFrozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const field of Object.values(value)) deepFrozen(field);
  return Object.freeze(value);
}
