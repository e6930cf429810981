import { Random } from "../../../core/random.ts";
import type { SqlWorld } from "../../../core/sql.ts";
import type { Judge } from "../../policy.ts";
import type { DriverReply as Answer } from "../../session-drivers.ts";
import { limitId } from "./sql-codes.ts";
import type { SqlConnection } from "./sql-connection.ts";
import type { SqlEngine } from "./sql-engine.ts";
import { SqlMediator } from "./sql-mediator.ts";
import type { SqlLimit, SqlLimits, SqlRules } from "./sql-rules.ts";
import type { SqlSchema } from "./sql-schema.ts";
import { type KeptStatement, SqlText, type SqlTextParts } from "./sql-text.ts";
import type { SqlTrust } from "./sql-trust.ts";

/** What bounds a text that no policy judges: the worker must live on. */
export const driverLimits: SqlLimits = Object.freeze({
  rowsChanged: Number.POSITIVE_INFINITY,
  rowsReturned: 100_000,
  vmSteps: 20_000_000,
  sqlBytes: 1_000_000,
  valueBytes: 10_000_000,
  resultBytes: 64_000_000,
  memoryBytes: 256_000_000,
});

/** A connection, and the statements that are kept compiled on it. */
export interface PooledConnection {
  readonly connection: SqlConnection;
  readonly kept: Map<string, KeptStatement>;
  /** Texts that were seen of late, and those before them: one that comes again is worth keeping. */
  seen: Set<string>;
  seenBefore: ReadonlySet<string>;
  /** Under which the kept statements were permitted; `null` before the first text. */
  bounds: RuleSet | null;
}

/** Rules that judge a session's texts, with what follows from them together. */
interface RuleSet {
  readonly rules: readonly SqlRules[];
  /** Whether any of them does more than watch. */
  readonly judged: boolean;
  readonly limits: SqlLimits;
  /** Whether all of that is as it will ever be: rules of a user's own may change their limits from one episode to the next. */
  readonly fixed: boolean;
}

/** How a connection comes back: as a new one is, with rows changed, changed in other ways, or not to be touched again. */
export type ConnectionState = "clean" | "written" | "used" | "lost";

export interface SqlSessionParts {
  readonly engine: SqlEngine;
  readonly pooled: PooledConnection;
  readonly schema: SqlSchema;
  readonly seed: number;
  readonly trustOf: (session: SqlSession) => { readonly world: SqlWorld; readonly trust: SqlTrust };
  /** Takes the connection back. */
  readonly release: (as: ConnectionState) => void;
}

const keptMax = 32;

/** One episode's database. Judged texts are atomic: what is denied or fails leaves nothing behind. */
export class SqlSession {
  readonly world: SqlWorld;
  readonly trust: SqlTrust;
  readonly #parts: SqlSessionParts;
  readonly #mediator: SqlMediator;
  #judges: readonly Judge[] | null = null;
  #rules: readonly SqlRules[] = [];
  #limits = driverLimits;
  #judged = false;
  #isLost = false;
  #textParts: SqlTextParts;
  #written = 0;

  constructor(parts: SqlSessionParts) {
    this.#parts = parts;
    const { sqlite, db, heap } = this.connection;
    const changesBefore = sqlite.sqlite3_total_changes(db);
    this.#mediator = new SqlMediator({
      heap,
      random: new Random(parts.seed),
      schema: parts.schema,
      limits: driverLimits,
      changesBefore,
      interrupt: () => sqlite.sqlite3_interrupt(db),
      memory: {
        used: () => this.connection.memoryUsed,
        largest: () => this.connection.largestPiece(false),
        forgetLargest: () => void this.connection.largestPiece(true),
      },
    });
    this.#textParts = this.#partsOfTexts();
    const { world, trust } = parts.trustOf(this);
    this.world = world;
    this.trust = trust;
  }

  get connection(): SqlConnection {
    return this.#parts.pooled.connection;
  }

  /** Counts the texts that may have changed the database: while it is 0 the database is as it was. */
  get written(): number {
    return this.#written;
  }

  query(sql: string, judges: readonly Judge[]): Answer {
    if (this.#isLost) return lost();
    if (judges !== this.#judges) this.#use(judges);
    if (longer(sql, this.#limits.sqlBytes)) return this.#overlong(sql);
    const { engine, pooled } = this.#parts;
    this.#mediator.beginText(sql, this.#rules, this.#limits);
    const wasOpen = !this.#judged && this.connection.inTransaction;
    const text = new SqlText(this.#textParts);
    engine.observer = this.#mediator;
    try {
      const isKnown = pooled.kept.size > 0 && !this.#mediator.schemaChanged;
      const kept = isKnown ? pooled.kept.get(sql) : undefined;
      return this.#told(kept === undefined ? text.run(sql) : text.runKept(kept), { sql, text });
    } catch (error) {
      if (!isTrap(error)) throw error;
      this.#isLost = true;
      engine.recover();
      return lost();
    } finally {
      engine.observer = null;
      if (text.wrote || wasOpen) this.#written++;
      if (text.kept !== null) this.#keep(sql, text.kept);
    }
  }

  close(): void {
    this.#parts.release(this.#state);
  }

  get #state(): ConnectionState {
    if (this.#isLost) return "lost";
    if (this.#mediator.tainted || this.connection.inTransaction) return "used";
    if (this.#written === 0) return "clean";
    return this.#mediator.rowsOnly ? "written" : "used";
  }

  #use(judges: readonly Judge[]): void {
    const { pooled } = this.#parts;
    this.#judges = judges;
    const rules = judges.flatMap((judge) => judge.sql ?? []);
    const before = pooled.bounds;
    const isSame = before?.rules.length === rules.length && before.rules.every((rule, i) => rule === rules[i]);
    const bounds = isSame && before.fixed ? before : ruleSetOf(rules);
    if (bounds !== before) this.connection.limit(limitId.length, bounds.limits.valueBytes);
    if (!isSame) dropKept(pooled);
    pooled.bounds = bounds;
    this.#rules = bounds.rules;
    this.#judged = bounds.judged;
    this.#limits = bounds.limits;
    this.#textParts = this.#partsOfTexts();
  }

  #partsOfTexts(): SqlTextParts {
    return {
      engine: this.#parts.engine,
      connection: this.connection,
      mediator: this.#mediator,
      rules: this.#rules,
      limits: this.#limits,
    };
  }

  #keep(sql: string, statement: KeptStatement): void {
    const { pooled } = this.#parts;
    const { kept } = pooled;
    if (!pooled.seen.has(sql) && !pooled.seenBefore.has(sql)) {
      if (pooled.seen.size >= keptMax) {
        pooled.seenBefore = pooled.seen;
        pooled.seen = new Set();
      }
      pooled.seen.add(sql);
      this.connection.sqlite.sqlite3_finalize(statement.stmt);
      return;
    }
    if (kept.size >= keptMax) {
      const [oldest, dropped] = kept.entries().next().value as [string, KeptStatement];
      kept.delete(oldest);
      this.connection.sqlite.sqlite3_finalize(dropped.stmt);
    }
    kept.set(sql, statement);
  }

  /** The answer with what the text used, and with what was found by rules that only watch. */
  #told(answer: Answer, { sql, text }: { readonly sql: string; readonly text: SqlText }): Answer {
    const { findings, meter } = this.#mediator;
    const { usage } = meter;
    if (this.#rules.some((rules) => rules.shadow === true)) {
      const { rowCount: rowsReturned, resultBytes } = text;
      findings.watchLimits({ ...usage, rowsReturned, resultBytes, sqlBytes: Buffer.byteLength(sql) });
    }
    const { watched } = findings;
    const violations = watched.length === 0 ? answer.violations : [...answer.violations, ...watched];
    return { ...answer, violations, usage: { steps: usage.vmSteps } };
  }

  #overlong(sql: string): Answer {
    const bytes = Buffer.byteLength(sql);
    const violations = this.#rules
      .filter(({ limits }) => bytes > limits.sqlBytes)
      .map((rules) => rules.exceeded("sqlBytes"));
    if (violations.some(({ blocked }) => blocked)) return { outcome: "denied", violations };
    return { outcome: "failed", error: `the text is longer than ${this.#limits.sqlBytes} bytes`, violations };
  }
}

/** Whether the module itself gave up in the middle of a text: out of stack, say. */
function isTrap(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === "RuntimeError");
}

/** The connection stands in the middle of a statement that will never end: the episode's database is gone with it. */
function lost(): Answer {
  const error = "the database connection was lost: SQLite gave up in the middle of a text";
  return { outcome: "failed", error, violations: [] };
}

/** Frees the statements that are kept compiled. */
export function dropKept(pooled: PooledConnection): void {
  for (const statement of pooled.kept.values()) pooled.connection.sqlite.sqlite3_finalize(statement.stmt);
  pooled.kept.clear();
}

/** Whether a text has more bytes than that; no character takes more than three a UTF-16 unit. */
function longer(sql: string, bytes: number): boolean {
  return sql.length * 3 > bytes && Buffer.byteLength(sql) > bytes;
}

function ruleSetOf(rules: readonly SqlRules[]): RuleSet {
  const enforced = rules.filter(({ shadow }) => shadow !== true);
  const limits = enforced.reduce((strict, { limits }) => strictest(strict, limits), driverLimits);
  const fixed = rules.every((rule) => Object.isFrozen(rule) && Object.isFrozen(rule.limits));
  return { rules, judged: enforced.length > 0, limits, fixed };
}

function strictest(a: SqlLimits, b: SqlLimits): SqlLimits {
  const names = Object.keys(a) as SqlLimit[];
  return Object.fromEntries(names.map((name) => [name, Math.min(a[name], b[name])])) as unknown as SqlLimits;
}
