import { z } from "zod";
import type { Route } from "./route.ts";

const bearer = [{ bearer: [] }];
const problem = { type: "object", properties: { detail: {} }, required: ["detail"] };

/** The OpenAPI 3.1 document of routes. */
export function openApi(routes: readonly Route[]): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes)
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  return {
    openapi: "3.1.0",
    info: { title: "Faraday LightningStore", version: "0.3.0" },
    paths,
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Problem: problem },
    },
  };
}

function operation(route: Route): unknown {
  const refused = { description: "Refused", content: json({ $ref: "#/components/schemas/Problem" }) };
  return {
    summary: route.summary,
    ...(route.access === "open" ? {} : { security: bearer }),
    parameters: [...pathParameters(route), ...queryParameters(route), ...headerParameters(route)],
    ...(route.takes === "nothing" ? {} : { requestBody: requestBody(route) }),
    responses: {
      [route.status]: {
        description: "Done",
        ...(route.takes === "bytes" ? {} : { content: json(replySchema(route)) }),
      },
      "4XX": refused,
    },
  };
}

function pathParameters({ path }: Route): readonly unknown[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true, schema: { type: "string" } },
  }));
}

function queryParameters({ querySchema }: Route): readonly unknown[] {
  return Object.entries(querySchema?.shape ?? {}).map(([name, field]) => ({
    ...{ name, in: "query", schema: jsonSchema(field) },
    required: !(field instanceof z.ZodType && field.safeParse(undefined).success),
  }));
}

function headerParameters({ headers = [] }: Route): readonly unknown[] {
  return headers.map((name) => ({ name, in: "header", required: false, schema: { type: "string" } }));
}

function requestBody({ takes, bodySchema, bodyOptional }: Route): unknown {
  if (takes === "bytes")
    return { content: { "application/x-protobuf": { schema: { type: "string", format: "binary" } } } };
  return { required: bodyOptional !== true, content: json(bodySchema === undefined ? {} : jsonSchema(bodySchema)) };
}

function replySchema({ replySchema: schema }: Route): unknown {
  return schema === undefined ? {} : jsonSchema(schema);
}

function json(schema: unknown): unknown {
  return { "application/json": { schema } };
}

function jsonSchema(schema: z.core.$ZodType): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return rest;
}
