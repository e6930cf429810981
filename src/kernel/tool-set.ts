import type { z } from "zod";
import type { Driver } from "../core/env.ts";
import { InputError } from "../core/errors.ts";

type Operation = Driver["operations"][string];

/**
 * A driver made of functions, each with a zod schema of its arguments. The kernel parses the arguments before it judges them:
 * what does not fit is denied with the path and what was expected, and what is judged is what the function is given.
 */
export class ToolSet implements Driver {
  readonly operations: Record<string, Operation> = Object.create(null);
  readonly schemas = new Map<string, z.ZodType>();

  /**
   * Adds a function; the syscall is the name that the set is mounted by, a dot, and this name.
   * @throws {InputError} when the name is taken.
   */
  register<Schema extends z.ZodType>(name: string, schema: Schema, run: (args: z.output<Schema>) => unknown): this {
    if (name in this.operations) throw new InputError(`ToolSet.register: ${name} is registered already`);
    this.schemas.set(name, schema);
    this.operations[name] = (args) => run(args as z.output<Schema>);
    return this;
  }
}
