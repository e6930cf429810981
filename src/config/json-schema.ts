import type { z } from "zod";
import { configSchema } from "./config-schema.ts";
import { type SchemaNode, schemaNode } from "./schema-node.ts";

/** The JSON Schema of the config file, for editors and other programs. */
export async function configJsonSchema(): Promise<SchemaNode> {
  const { environments, agents } = await import("../../envs/index.ts");
  const whole = schemaNode(configSchema);
  const env = await choiceOf("environment", environments, whole.properties?.env);
  const agent = await choiceOf("agent", agents, whole.properties?.agent);
  return { ...whole, title: "Faraday configuration", properties: { ...whole.properties, env, agent } };
}

async function choiceOf(
  what: string,
  shipped: Readonly<Record<string, () => Promise<{ readonly options: z.ZodType }>>>,
  written: SchemaNode | undefined,
): Promise<SchemaNode> {
  const choices = await Promise.all(
    Object.entries(shipped).map(async ([name, find]) => shippedChoice(what, name, schemaNode((await find()).options))),
  );
  return { description: written?.description ?? "", anyOf: [...choices, ownChoice(what)] };
}

function shippedChoice(what: string, name: string, options: SchemaNode): SchemaNode {
  const { properties, required = [] } = options;
  return {
    type: "object",
    properties: { type: { const: name, description: `A shipped ${what}` }, ...properties },
    required: ["type", ...required],
    additionalProperties: false,
  };
}

function ownChoice(what: string): SchemaNode {
  const description = `File of your own ${what} module; its options go beside`;
  return {
    type: "object",
    properties: { module: { type: "string", minLength: 1, description } },
    required: ["module"],
    additionalProperties: true,
  };
}
