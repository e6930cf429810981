import { configSchema } from "./config-schema.ts";
import { type SchemaNode, schemaNode } from "./schema-node.ts";

/** The JSON Schema of the config file, for editors and other programs. */
export async function configJsonSchema(): Promise<SchemaNode> {
  const { environments } = await import("../../envs/index.ts");
  const whole = schemaNode(configSchema);
  const choices = await Promise.all(
    Object.entries(environments).map(async ([name, find]) => shippedChoice(name, schemaNode((await find()).options))),
  );
  const env = { description: whole.properties?.env?.description ?? "", anyOf: [...choices, ownChoice] };
  return {
    ...whole,
    title: "Faraday configuration",
    properties: { ...whole.properties, env },
  };
}

function shippedChoice(name: string, options: SchemaNode): SchemaNode {
  const { properties, required = [] } = options;
  return {
    type: "object",
    properties: { type: { const: name, description: "A shipped environment" }, ...properties },
    required: ["type", ...required],
    additionalProperties: false,
  };
}

const ownChoice: SchemaNode = {
  type: "object",
  properties: {
    module: { type: "string", minLength: 1, description: "File of your own environment module; its options go beside" },
  },
  required: ["module"],
  additionalProperties: true,
};
