import { z } from "zod";

/** The part of JSON Schema that our schemas use. */
export interface SchemaNode {
  readonly title?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly description?: string;
  readonly default?: unknown;
}

const nodes = new WeakMap<z.ZodType, SchemaNode>();

/** What a user may write, as JSON Schema. What JSON Schema cannot say is left open. */
export function schemaNode(schema: z.ZodType): SchemaNode {
  const known = nodes.get(schema);
  if (known !== undefined) return known;
  const node = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode;
  nodes.set(schema, node);
  return node;
}

/** The alternatives of a union, or the node itself. */
export function branchesOf(node: SchemaNode): readonly SchemaNode[] {
  const branches = node.anyOf ?? node.oneOf;
  return branches === undefined ? [node] : branches.flatMap(branchesOf);
}

/** The node that judges the value at `path` within `value`, or `undefined` where the schema does not say. */
export function nodeAt(node: SchemaNode, path: readonly PropertyKey[], value: unknown): SchemaNode | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return node;
  const children = likelyBranches(node, value, key).flatMap((branch) => childOf(branch, key) ?? []);
  const child = children.length > 1 ? { anyOf: children } : children[0];
  return child && nodeAt(child, rest, childValue(value, key));
}

/** The keys that an object may have there. */
export function knownKeys(node: SchemaNode, value: unknown): readonly string[] {
  return likelyBranches(node, value).flatMap((branch) => Object.keys(branch.properties ?? {}));
}

export function childValue(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

/** Branches of a union whose constants agree with the value; all of them where the key in question is the constant. */
function likelyBranches(node: SchemaNode, value: unknown, key?: PropertyKey): readonly SchemaNode[] {
  return branchesOf(node).filter((branch) =>
    Object.entries(branch.properties ?? {}).every(
      ([name, property]) => name === key || property.const === undefined || property.const === childValue(value, name),
    ),
  );
}

function childOf(node: SchemaNode, key: PropertyKey): SchemaNode | undefined {
  if (typeof key === "number") return node.items;
  const named = node.properties?.[String(key)];
  if (named !== undefined) return named;
  return typeof node.additionalProperties === "object" ? node.additionalProperties : undefined;
}
