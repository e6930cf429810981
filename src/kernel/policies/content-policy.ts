import { z } from "zod";
import { parseOptions } from "../parse-options.ts";
import { type Finding, type Judge, noFindings, type Policy } from "../policy.ts";
import {
  builtInPattern,
  type ContentPattern,
  type ContentPatternName,
  contentPatternNames,
} from "./content-patterns.ts";
import { scanContent } from "./content-scan.ts";
import { linearPattern, patternFault } from "./linear-pattern.ts";
import { policyMode, severity, syscallPatterns } from "./policy-fields.ts";
import { compilePatterns } from "./syscall-pattern.ts";

const places = ["arguments", "results"] as const;

export const contentPolicyOptions = z
  .strictObject({
    find: z.array(z.enum(contentPatternNames)).default([]).describe("What is looked for, of what is known here"),
    custom: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[\w-]{1,40}$/, "must be letters, digits, - and _")
            .describe("What it is called"),
          pattern: z
            .string()
            .min(1)
            .superRefine((source, context) => {
              const fault = patternFault(source);
              if (fault !== null) context.addIssue({ code: "custom", message: fault });
            })
            .describe("A regular expression; it runs in linear time, without lookaround or backreferences"),
        }),
      )
      .default([])
      .describe("What is looked for besides"),
    in: z
      .array(z.enum(places))
      .min(1)
      .default([...places])
      .describe("Where"),
    syscalls: syscallPatterns.default("*").describe("Of which syscalls"),
    action: z
      .enum(["deny", "redact", "warn"])
      .default("redact")
      .describe("deny or withhold; put [REDACTED:name] in its place; or only tell"),
    lengthMax: z
      .int()
      .min(1)
      .default(1_000_000)
      .describe("Characters that are looked through; what is longer is denied or withheld, or with warn told"),
    severity: severity.default("medium").describe("Severity of what is found"),
    mode: policyMode,
  })
  .refine(({ find, custom }) => find.length + custom.length > 0, "must look for something, in find or custom");
export type ContentPolicyOptions = z.input<typeof contentPolicyOptions>;
type Settings = z.output<typeof contentPolicyOptions>;

/** Keeps secrets and personal data out of arguments, results and error texts. */
export class ContentPolicy implements Policy {
  readonly name = "content";
  readonly spec: Policy["spec"];
  readonly #settings: Settings;
  readonly #patterns: readonly ContentPattern[];
  readonly #judge: Judge;

  constructor(options: ContentPolicyOptions) {
    this.#settings = parseOptions(contentPolicyOptions, options, "ContentPolicy");
    this.spec = Object.freeze({ type: "content", ...this.#settings });
    const { find, custom, in: where, syscalls } = this.#settings;
    this.#patterns = [
      ...new Set(find).values().map((name: ContentPatternName) => builtInPattern(name)),
      ...custom.map(({ name, pattern }) => ({ name, expression: linearPattern(pattern) })),
    ];
    const about = compilePatterns(syscalls);
    const concerns = (syscall: string) => about.some((pattern) => pattern.matches(syscall));
    this.#judge = Object.freeze({
      ...(where.includes("arguments")
        ? { before: ({ syscall, args }) => (concerns(syscall) ? this.#look(args, "the arguments") : noFindings) }
        : {}),
      ...(where.includes("results")
        ? { after: ({ syscall }, _, value) => (concerns(syscall) ? this.#look(value, "the result") : noFindings) }
        : {}),
    } satisfies Judge);
    Object.freeze(this);
  }

  judge(): Judge {
    return this.#judge;
  }

  #look(value: unknown, what: string): readonly Finding[] {
    const { action, lengthMax, severity: grave } = this.#settings;
    const scanned = scanContent(value, this.#patterns, lengthMax);
    if (scanned.tooLong) {
      const description = `${what} has more than ${lengthMax} characters, too many to look through`;
      return [{ decision: action === "warn" ? "warn" : "deny", rule: "too long", severity: grave, description }];
    }
    if (scanned.names.size === 0) return noFindings;
    const decision = action === "redact" ? "transform" : action;
    return [...scanned.names].map((name) => ({
      ...{ decision, rule: name, severity: grave, description: `${what} has ${article(name)}${name}` },
      ...(action === "redact" ? { value: scanned.value } : {}),
    }));
  }
}

function article(name: string): string {
  return /^[aeiou]/.test(name) && !name.startsWith("us") ? "an " : "a ";
}
