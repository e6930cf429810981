import { z } from "zod";
import { severities } from "../../core/syscall.ts";
import { type SqlEffect, sqlEffects } from "../drivers/sql/sql-rules.ts";
import { parseOptions } from "../parse-options.ts";
import type { Judge, Policy } from "../policy.ts";
import { compileSqlRules } from "./compiled-sql-rules.ts";

const name = z.string().min(1);
const limit = z.int().min(1);

/** What may be done with one table; what is not said is not granted. */
export const tableGrant = z.strictObject({
  select: z.union([z.boolean(), z.strictObject({ except: z.array(name).min(1) })]).default(false),
  insert: z.boolean().default(false),
  update: z.boolean().default(false),
  delete: z.boolean().default(false),
});
export type TableGrant = z.output<typeof tableGrant>;

const severity = z.enum(severities);
const severityOfEffect = Object.fromEntries(sqlEffects.map((effect) => [effect, severity.optional()])) as Record<
  SqlEffect,
  z.ZodOptional<typeof severity>
>;

export const sqlPolicyOptions = z.strictObject({
  /** Effects that no grant allows: whatever keyword, trigger or cascade brings them about. */
  deny: z.array(z.enum(sqlEffects)).default([]),
  /** Grants by table name; `*` is every table that is not named. Once present, what is not granted is denied. */
  tables: z.record(name, tableGrant).optional(),
  /** The only pragmas allowed, as statements and as table-valued functions. */
  pragmas: z.array(name).default(["table_info", "table_list"]),
  limits: z
    .strictObject({
      /** Without it, any number of rows may change. */
      rowsChanged: z.int().min(0).optional(),
      rowsReturned: limit.default(10_000),
      vmSteps: limit.default(2_000_000),
      sqlBytes: limit.default(65_536),
      valueBytes: z.int().min(1_000).max(100_000_000).default(1_000_000),
      resultBytes: limit.default(8_000_000),
      memoryBytes: z.int().min(1_000_000).max(256_000_000).default(64_000_000),
    })
    .prefault({}),
  /** By effect; `LIMIT` is a limit that was exceeded, `default` all that is not named. */
  severity: z
    .strictObject({
      ...severityOfEffect,
      default: severity.default("medium"),
      DROP: severity.default("critical"),
      DELETE: severity.default("high"),
      LIMIT: severity.optional(),
    })
    .prefault({}),
});
export type SQLPolicyOptions = z.input<typeof sqlPolicyOptions>;
export type SQLPolicySettings = z.output<typeof sqlPolicyOptions>;

/** Which effects SQL may have. Transaction control, ATTACH, VACUUM, extensions and raw pages are always denied. */
export class SQLPolicy implements Policy {
  readonly name = "sql";
  readonly settings: SQLPolicySettings;
  readonly spec: Policy["spec"];
  readonly #judge: Judge;

  constructor(options: SQLPolicyOptions = {}) {
    this.settings = parseOptions(sqlPolicyOptions, options, "SQLPolicy");
    this.spec = Object.freeze({ type: "sql", ...this.settings });
    this.#judge = Object.freeze({ sql: compileSqlRules(this.settings, this.name) });
    Object.freeze(this);
  }

  judge(): Judge {
    return this.#judge;
  }
}
