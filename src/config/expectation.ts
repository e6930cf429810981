import { branchesOf, type SchemaNode } from "./schema-node.ts";

/**
 * What a schema expects, in words that follow "must be"; `undefined` where it does not say. `value` is what came: it
 * decides how much to say.
 */
export function expectation(node: SchemaNode, value?: unknown): string | undefined {
  const branches = branchesOf(node);
  const constants = branches.flatMap((branch) => constantsOf(branch) ?? []);
  const others = branches.filter((branch) => constantsOf(branch) === undefined);
  const parts = constants.length > 1 && others.length === 0 ? [`one of ${quoted(constants, ", ")}`] : [];
  if (parts.length === 0 && constants.length > 0) parts.push(quoted(constants, " or "));
  const kinds = others.map((branch) => kindOf(branch, value));
  if (kinds.includes(undefined)) return undefined;
  return [...new Set([...parts, ...kinds])].join(" or ");
}

/** What came, as JSON, cut where it is long. */
export function got(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return shortened(JSON.stringify(value) ?? typeof value);
}

export function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** The bounds of a number, such as `1..256` or `above 0`; empty where there are none. */
export function boundsOf(node: SchemaNode): string {
  const low = bound(node.minimum);
  const high = bound(node.maximum);
  if (low !== undefined && high !== undefined) return `${low}..${high}`;
  const parts: string[] = [];
  if (low !== undefined) parts.push(`at least ${low}`);
  if (node.exclusiveMinimum !== undefined) parts.push(`above ${node.exclusiveMinimum}`);
  if (high !== undefined) parts.push(`at most ${high}`);
  if (node.exclusiveMaximum !== undefined) parts.push(`below ${node.exclusiveMaximum}`);
  return parts.join(" and ");
}

function constantsOf(node: SchemaNode): readonly unknown[] | undefined {
  return node.const === undefined ? node.enum : [node.const];
}

function quoted(values: readonly unknown[], separator: string): string {
  return values.map((value) => JSON.stringify(value)).join(separator);
}

function kindOf(node: SchemaNode, value: unknown): string | undefined {
  switch (node.type) {
    case "integer":
      return withBounds("an integer", node, Number.isInteger(value));
    case "number":
      return withBounds("a number", node, typeof value === "number");
    case "boolean":
      return "true or false";
    case "string":
      return node.minLength === undefined ? "a string" : "a string that is not empty";
    case "array":
      return node.minItems === undefined ? "a list" : `a list of at least ${node.minItems}`;
    case "object":
      return "an object";
    case "null":
      return "null";
    default:
      return undefined;
  }
}

/** Where the kind is right, the bounds alone say what is wrong. */
function withBounds(kind: string, node: SchemaNode, kindIsRight: boolean): string {
  const bounds = boundsOf(node);
  if (bounds === "") return kind;
  return kindIsRight ? bounds : `${kind} ${bounds}`;
}

/** Integers are bounded by what a double holds exactly; nobody wants to read that. */
function bound(limit: number | undefined): number | undefined {
  return limit === undefined || Math.abs(limit) === Number.MAX_SAFE_INTEGER ? undefined : limit;
}
