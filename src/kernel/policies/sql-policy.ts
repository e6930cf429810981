import { z } from "zod";
import { severities } from "../../core/syscall.ts";
import { type SqlEffect, sqlEffects } from "../drivers/sql/sql-rules.ts";
import { parseOptions } from "../parse-options.ts";
import type { Judge, Policy } from "../policy.ts";
import { compileSqlRules } from "./compiled-sql-rules.ts";
import { policyMode } from "./policy-fields.ts";

const name = z.string().min(1);
const limit = z.int().min(1);

/** What may be done with one table; what is not said is not granted. */
export const tableGrant = z.strictObject({
  select: z
    .union([z.boolean(), z.strictObject({ except: z.array(name).min(1).describe("Columns that may not be read") })])
    .default(false)
    .describe("Whether its rows may be read, or which columns of them not"),
  insert: z.boolean().default(false).describe("Whether rows may be added"),
  update: z.boolean().default(false).describe("Whether rows may be changed"),
  delete: z.boolean().default(false).describe("Whether rows may be removed"),
});
export type TableGrant = z.output<typeof tableGrant>;

const severity = z.enum(severities);
const severityOfEffect = Object.fromEntries(
  sqlEffects.map((effect) => [effect, severity.optional().describe(`Severity of ${effect}; else default`)]),
) as Record<SqlEffect, z.ZodOptional<typeof severity>>;

export const sqlPolicyOptions = z.strictObject({
  deny: z
    .array(z.enum(sqlEffects))
    .default([])
    .describe("Effects that no grant allows: whatever keyword, trigger or cascade brings them about"),
  tables: z
    .record(name, tableGrant)
    .optional()
    .describe("Grants by table name; * is every table that is not named. Once present, what is not granted is denied"),
  pragmas: z
    .array(name)
    .default(["table_info", "table_list"])
    .describe("The only pragmas allowed, as statements and as table-valued functions"),
  limits: z
    .strictObject({
      rowsChanged: z.int().min(0).optional().describe("Rows that one text may change; without it, any number"),
      rowsReturned: limit.default(10_000).describe("Rows that one text may return"),
      vmSteps: limit.default(2_000_000).describe("Steps of SQLite's virtual machine that one text may take"),
      sqlBytes: limit.default(65_536).describe("Length of one text"),
      valueBytes: z.int().min(1_000).max(100_000_000).default(1_000_000).describe("Size of one value"),
      resultBytes: limit.default(8_000_000).describe("Size of one result"),
      memoryBytes: z
        .int()
        .min(1_000_000)
        .max(256_000_000)
        .default(64_000_000)
        .describe("Memory that one text may take"),
    })
    .prefault({})
    .describe("What one text may use"),
  severity: z
    .strictObject({
      ...severityOfEffect,
      default: severity.default("medium").describe("Severity of what is not named"),
      DROP: severity.default("critical").describe("Severity of DROP"),
      DELETE: severity.default("high").describe("Severity of DELETE"),
      LIMIT: severity.optional().describe("Severity of a limit that was exceeded; else default"),
    })
    .prefault({})
    .describe("How grave a violation is, by effect"),
  mode: policyMode,
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
