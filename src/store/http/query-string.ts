import { z } from "zod";

/**
 * A query string as the schema of its fields wants it: fields that are lists take every value, others the last; numbers are read.
 * Fields that the schema does not have are left out.
 */
export function readQuery(schema: z.ZodObject, search: string): Readonly<Record<string, unknown>> {
  const params = new URLSearchParams(search);
  const read: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(schema.shape)) {
    const given = params.getAll(name);
    const last = given.at(-1);
    if (last === undefined) continue;
    read[name] = kindOf(field) === "list" ? given : kindOf(field) === "number" ? numberOf(last) : last;
  }
  return read;
}

const kinds = new WeakMap<object, "list" | "number" | "text">();

function kindOf(field: z.core.$ZodType): "list" | "number" | "text" {
  const known = kinds.get(field);
  if (known !== undefined) return known;
  const kind = innermost(field);
  const found = kind instanceof z.ZodArray ? "list" : kind instanceof z.ZodNumber ? "number" : "text";
  kinds.set(field, found);
  return found;
}

function innermost(field: z.core.$ZodType): z.core.$ZodType {
  const wrapped =
    field instanceof z.ZodOptional || field instanceof z.ZodNullable || field instanceof z.ZodDefault
      ? field.unwrap()
      : undefined;
  return wrapped === undefined ? field : innermost(wrapped);
}

/** What is no number stays text, so that the check says so. */
function numberOf(text: string): number | string {
  return /^[+-]?\d+(\.0*)?$/.test(text.trim()) ? Number(text) : text;
}
