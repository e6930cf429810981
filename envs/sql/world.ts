import type { World } from "../../src/core/env.ts";
import { InputError } from "../../src/core/errors.ts";
import type { SqlWorld } from "../../src/core/sql.ts";

/** @throws {InputError} where no kernel driver shows a database. */
export function requireSqlWorld(world: World): SqlWorld {
  if (isSqlWorld(world.sql)) return world.sql;
  throw new InputError("env sql needs the kernel's sql driver (kernel.drivers.sql), and this kernel has none");
}

function isSqlWorld(value: unknown): value is SqlWorld {
  if (typeof value !== "object" || value === null) return false;
  const { digest, rehearse } = value as Partial<SqlWorld>;
  return typeof digest === "function" && typeof rehearse === "function";
}
