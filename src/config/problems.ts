import type { z } from "zod";
import { expectation, got, shortened } from "./expectation.ts";
import { childValue, knownKeys, nodeAt, type SchemaNode, schemaNode } from "./schema-node.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Where a value that is judged lies in the whole. */
interface Place {
  readonly schema: SchemaNode;
  readonly value: unknown;
  /** Path of the value, for messages. */
  readonly prefix: readonly PropertyKey[];
}

/** Parses, or says everything that is wrong, each with its path, what was expected and what came. */
export function parseWith<T>(
  schema: z.ZodType<T>,
  value: unknown,
  prefix: readonly PropertyKey[] = [],
): { readonly value: T; readonly problems: readonly [] } | { readonly problems: readonly string[] } {
  const node = schemaNode(schema);
  const parsed = schema.safeParse(value);
  const stripped = strippedKeys(node, value).map((key) => unknownKey({ schema: node, value, prefix }, [], key));
  const issues = parsed.success ? [] : parsed.error.issues;
  const problems = [...issues.flatMap((issue) => problemsOf(issue, { schema: node, value, prefix })), ...stripped];
  return parsed.success && problems.length === 0 ? { value: parsed.data, problems: [] } : { problems };
}

function problemsOf(issue: Issue, place: Place): readonly string[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => unknownKey(place, issue.path, key));
    case "invalid_union": {
      const nested = likelyBranch(issue);
      if (nested === undefined) return [wrongValue(place, issue)];
      return nested.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }, place));
    }
    default:
      return [wrongValue(place, issue)];
  }
}

function wrongValue(place: Place, issue: Issue): string {
  const path = pathText([...place.prefix, ...issue.path]);
  const value = issue.path.reduce<unknown>(childValue, place.value);
  // A schema's own words say more than its shape does.
  if (issue.message.startsWith("must ")) return `${path} ${issue.message}, got ${got(value)}`;
  const node = nodeAt(place.schema, issue.path, place.value);
  const expected = node === undefined ? undefined : expectation(node, value);
  return expected === undefined
    ? `${path}: ${issue.message}, got ${got(value)}`
    : `${path} must be ${expected}, got ${got(value)}`;
}

function unknownKey(place: Place, path: readonly PropertyKey[], key: string): string {
  const node = nodeAt(place.schema, path, place.value);
  const known = node === undefined ? [] : knownKeys(node, path.reduce<unknown>(childValue, place.value));
  const parent = [...place.prefix, ...path];
  const near = suggest(key, known);
  const text = `${pathText([...parent, key])} is not a known key`;
  if (near !== undefined) return `${text}; did you mean ${pathText([...parent, near])}?`;
  return known.length === 0 ? text : `${text}; known here: ${known.join(", ")}`;
}

/** The one alternative that the value tried to be: the only one whose problems all lie within the value. */
function likelyBranch(issue: Issue & { readonly code: "invalid_union" }): readonly Issue[] | undefined {
  const within = issue.errors.filter((branch) => branch.every((inner) => inner.path.length > 0 || isKeyIssue(inner)));
  return within.length === 1 ? within[0] : undefined;
}

function isKeyIssue(issue: Issue): boolean {
  return issue.code === "unrecognized_keys";
}

/** Keys that a schema which is not strict would drop in silence; nothing fails silently here. */
function strippedKeys(node: SchemaNode, value: unknown): readonly string[] {
  if (node.properties === undefined || node.additionalProperties !== undefined) return [];
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).filter((key) => !Object.hasOwn(node.properties ?? {}, key));
}

export function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "the config" : path.map((key) => shortened(String(key))).join(".");
}
