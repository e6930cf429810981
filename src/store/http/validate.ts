import type { z } from "zod";
import { HttpError } from "./http-error.ts";

type Place = "body" | "query" | "path";

/**
 * What a request has in one place, checked.
 * @throws {HttpError} 422 with a `detail` in the form of FastAPI: `[{ type, loc, msg, input }]`.
 */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown, place: Place): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new HttpError(
    422,
    parsed.error.issues.slice(0, problemsMax).map((issue) => problem(issue, value, place)),
  );
}

/** A body that is not there, or is no JSON. */
export function bodyProblem(type: "missing" | "json_invalid", message: string): HttpError {
  return new HttpError(422, [{ type, loc: ["body"], msg: message, input: null }]);
}

const problemsMax = 100;

const types: Readonly<Record<string, string>> = {
  too_small: "greater_than_equal",
  too_big: "less_than_equal",
  invalid_value: "literal_error",
  unrecognized_keys: "extra_forbidden",
};

function problem(issue: z.core.$ZodIssue, value: unknown, place: Place) {
  const input = at(value, issue.path);
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  const missing = input === undefined && issue.code !== "unrecognized_keys";
  const type = missing ? "missing" : issue.code === "invalid_type" ? `${issue.expected}_type` : types[issue.code];
  return {
    type: type ?? issue.code,
    loc: [place, ...path],
    msg: missing ? "Field required" : issue.message,
    ...(isShort(input) ? { input } : {}),
  };
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let found: unknown = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, part);
  }
  return found;
}

/** What came is not given back at length. */
function isShort(input: unknown): boolean {
  return input === null || typeof input === "number" || typeof input === "boolean" || isShortText(input);
}

function isShortText(input: unknown): boolean {
  return typeof input === "string" && input.length <= 200;
}
