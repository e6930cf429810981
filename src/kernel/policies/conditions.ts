import { z } from "zod";
import { linearPattern, patternFault } from "./linear-pattern.ts";

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const pattern = z.string().superRefine((source, context) => {
  const fault = patternFault(source);
  if (fault !== null) context.addIssue({ code: "custom", message: fault });
});

/** What must hold of one argument: all of what is said. */
export const argumentCondition = z
  .strictObject({
    exists: z.boolean().optional().describe("Whether it must be there"),
    equals: scalar.optional().describe("The only value"),
    in: z.array(scalar).optional().describe("The only values"),
    min: z.number().optional().describe("A number at least this"),
    max: z.number().optional().describe("A number at most this"),
    startsWith: z.string().optional().describe("What a string begins with"),
    endsWith: z.string().optional().describe("What a string ends with"),
    matches: pattern.optional().describe("A regular expression that a part of a string matches, run in linear time"),
  })
  .refine((condition) => Object.keys(condition).length > 0, "must say what is expected, such as equals");
export type ArgumentCondition = z.output<typeof argumentCondition>;

/** Conditions by path into the arguments: names joined by dots, numbers for the items of lists. */
export const conditions = z.record(z.string().min(1), argumentCondition);
export type Conditions = z.output<typeof conditions>;

/** `null` where it cannot be told, as with a number that is given as text. */
export type Truth = boolean | null;
export type Test = (args: unknown) => Truth;

/** Longest text that `matches` looks at; of a longer one it cannot tell. */
const textMax = 1_000_000;

/** Whether all conditions hold: `false` as soon as one does not, else `null` where one cannot be told. */
export function compileConditions(given: Conditions | undefined): Test {
  const tests = Object.entries(given ?? {}).map(([path, condition]) => compileOne(path.split("."), condition));
  const [only] = tests;
  if (only === undefined) return () => true;
  return tests.length === 1 ? only : (args) => all(tests.map((test) => test(args)));
}

function compileOne(path: readonly string[], condition: ArgumentCondition): Test {
  const tests = testsOf(condition);
  const [only] = tests;
  const test: Test = tests.length === 1 && only !== undefined ? only : (value) => all(tests.map((each) => each(value)));
  return (args) => test(valueAt(args, path));
}

function testsOf({ exists, equals, in: values, min, max, startsWith, endsWith, matches }: ArgumentCondition): Test[] {
  const tests: Test[] = [];
  if (exists !== undefined) tests.push((value) => (value !== undefined) === exists);
  if (equals !== undefined) tests.push((value) => same(value, equals));
  if (values !== undefined) {
    tests.push((value) => {
      const answers = values.map((each) => same(value, each));
      return answers.includes(true) ? true : answers.includes(null) ? null : false;
    });
  }
  if (min !== undefined) tests.push(ofNumber((value) => value >= min));
  if (max !== undefined) tests.push(ofNumber((value) => value <= max));
  if (startsWith !== undefined) tests.push(ofText((value) => value.startsWith(startsWith)));
  if (endsWith !== undefined) tests.push(ofText((value) => value.endsWith(endsWith)));
  if (matches !== undefined) tests.push(ofText(matcher(matches)));
  return tests;
}

function matcher(source: string): (text: string) => Truth {
  const expression = linearPattern(source);
  return (text) => {
    if (text.length > textMax) return null;
    expression.lastIndex = 0;
    return expression.test(text);
  };
}

/** Equal text in another type is neither the value nor surely another: a tool may convert it. */
function same(value: unknown, expected: z.output<typeof scalar>): Truth {
  if (value === expected) return true;
  if (value === undefined || typeof value === typeof expected) return false;
  if (typeof value === "object" && value !== null) return null;
  return String(value) === String(expected) ? null : false;
}

function ofNumber(test: (value: number | bigint) => boolean): Test {
  return (value) => {
    if (value === undefined) return false;
    if (typeof value === "bigint") return test(value);
    return typeof value === "number" && !Number.isNaN(value) ? test(value) : null;
  };
}

function ofText(test: (value: string) => Truth): Test {
  return (value) => (value === undefined ? false : typeof value === "string" ? test(value) : null);
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** Why conditions can never hold, or `null`. */
export function impossible(given: Conditions | undefined): string | null {
  for (const [path, condition] of Object.entries(given ?? {})) {
    const { min, max, in: values, exists, ...rest } = condition;
    if (min !== undefined && max !== undefined && min > max) return `${path}: min ${min} is more than max ${max}`;
    if (values !== undefined && values.length === 0) return `${path}: in is empty`;
    const others = Object.keys(rest).length + [min, max, values].filter((each) => each !== undefined).length;
    if (exists === false && others > 0) return `${path}: what does not exist has no value`;
    const test = compileOne([], { ...condition, exists: undefined });
    const candidates = [...(rest.equals === undefined ? [] : [rest.equals]), ...(values ?? [])];
    if (candidates.length > 0 && candidates.every((value) => test(value) === false))
      return `${path}: no value that it names meets the rest`;
  }
  return null;
}
