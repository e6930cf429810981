import { z } from "zod";
import { type ExactInteger, isExactInteger } from "../exact-json.ts";

const exactInteger = z.custom<ExactInteger>(isExactInteger).meta({ type: "integer" });
const attributeValue = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.array(z.string()),
  z.array(z.number()),
  z.array(z.boolean()),
  exactInteger,
  z.array(z.union([z.number(), exactInteger])),
]);
const attributes = z.record(z.string(), attributeValue);

const spanContext = z.looseObject({
  trace_id: z.string(),
  span_id: z.string(),
  is_remote: z.boolean(),
  trace_state: z.record(z.string(), z.string()),
});

/** A span of Agent Lightning 0.3; what it has besides is kept. */
export const rolloutSpan = z.looseObject({
  rollout_id: z.string(),
  attempt_id: z.string(),
  sequence_id: z.int(),
  trace_id: z.string(),
  span_id: z.string(),
  parent_id: z.string().nullable(),
  name: z.string(),
  status: z.looseObject({
    status_code: z.enum(["UNSET", "OK", "ERROR"]),
    description: z.string().nullable().default(null),
  }),
  attributes,
  events: z.array(z.looseObject({ name: z.string(), attributes, timestamp: z.number().nullable().default(null) })),
  links: z.array(z.looseObject({ context: spanContext, attributes: attributes.nullable().default(null) })),
  start_time: z.number().nullable(),
  end_time: z.number().nullable(),
  context: spanContext.nullable(),
  parent: spanContext.nullable(),
  resource: z.object({ attributes, schema_url: z.string() }),
});
