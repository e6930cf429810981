import { expectation } from "./expectation.ts";
import { branchesOf, type SchemaNode } from "./schema-node.ts";

/** Every key of the config as a Markdown table, in the order of the schema. */
export function optionsTable(schema: SchemaNode): string {
  const rows = rowsOf(schema, "").map((cells) => `| ${cells.map(escapeCell).join(" | ")} |`);
  return ["| Key | What it may be | Default | Meaning |", "|---|---|---|---|", ...rows, ""].join("\n");
}

type Row = readonly [key: string, kind: string, fallback: string, meaning: string];

function rowsOf(node: SchemaNode, path: string): readonly Row[] {
  const branches = branchesOf(node);
  const types = branches.flatMap((branch) => branch.properties?.type?.const ?? []);
  const children = types.length < 2 ? branches.flatMap((branch) => childrenOf(branch, path)) : choiceRows(node, path);
  if (children.length > 0 && path === "") return unique(children);
  const kind = children.length > 0 ? kindOfContainer(node) : kindOf(node);
  const fallback = node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``;
  const own: Row = [`\`${path}\``, kind, children.length > 0 ? "" : fallback, node.description ?? ""];
  return unique([own, ...children]);
}

function childrenOf(node: SchemaNode, path: string): readonly Row[] {
  const named = Object.entries(node.properties ?? {}).filter(([name]) => name !== "$schema");
  const place = path === "" ? "" : `${path}.`;
  const rows = named.flatMap(([name, child]) => rowsOf(child, `${place}${name}`));
  const items = node.items === undefined ? [] : itemRows(node.items, path);
  const additional = node.additionalProperties;
  const others = typeof additional === "object" ? childrenOf(additional, `${place}<name>`) : [];
  return [...rows, ...items, ...others];
}

/** Alternatives that their `type` tells apart are shown as `policies[sql]`. */
function itemRows(items: SchemaNode, path: string): readonly Row[] {
  return branchesOf(items).flatMap((branch) => typedRows(branch, path) ?? childrenOf(branch, `${path}[]`));
}

/** One of several shipped parts, or one of the user's own. */
function choiceRows(node: SchemaNode, path: string): readonly Row[] {
  const types = branchesOf(node).flatMap((branch) => branch.properties?.type ?? []);
  const type = rowsOf({ ...types[0], const: undefined, enum: types.map((each) => each.const) }, `${path}.type`);
  return [...type, ...branchesOf(node).flatMap((branch) => typedRows(branch, path) ?? childrenOf(branch, path))];
}

/** The keys besides `type` of an alternative that has one. */
function typedRows(branch: SchemaNode, path: string): readonly Row[] | undefined {
  const { type, ...properties } = branch.properties ?? {};
  return type?.const === undefined ? undefined : childrenOf({ ...branch, properties }, `${path}[${type.const}]`);
}

function kindOfContainer(node: SchemaNode): string {
  const scalars = branchesOf(node).filter((branch) => childrenOf(branch, "x").length === 0);
  const kinds = scalars.map(kindOf);
  return [...kinds, node.type === "array" ? "a list" : "an object"].join(" or ");
}

function kindOf(node: SchemaNode): string {
  if (node.type !== "array") return expectation(node) ?? "anything";
  if (node.items?.enum !== undefined)
    return `a list of ${node.items.enum.map((item) => JSON.stringify(item)).join(", ")}`;
  return node.items?.type === "string" ? "a list of strings" : "a list";
}

/** A key that several alternatives share is told once. */
function unique(rows: readonly Row[]): readonly Row[] {
  return [...new Map(rows.map((row) => [row[0], row])).values()];
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
