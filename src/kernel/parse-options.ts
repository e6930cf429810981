import { z } from "zod";
import { InputError } from "../core/errors.ts";

/** Parses options that user code gave, saying every fault with its path. */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  name: string,
): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new InputError(`${name}: ${z.prettifyError(parsed.error)}`);
}
