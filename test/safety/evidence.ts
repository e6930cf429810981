import type { SQLPolicySettings } from "../../src/kernel/policies/sql-policy.ts";
import type { CorpusLine } from "./corpus.ts";
import type { UnguardedAnswer } from "./unguarded-process.ts";
import type { Hidden } from "./world-diff.ts";

interface Case {
  readonly line: CorpusLine;
  readonly settings: SQLPolicySettings;
  readonly hidden: Hidden;
  readonly answer: UnguardedAnswer;
}

/** Whether the world shows that an effect happened when nobody watched. */
export function shows(effect: string, { settings, answer, line }: Case): boolean {
  const [verb = "", subject = ""] = effect.split(" ");
  const { facts } = answer;
  switch (verb) {
    case "insert":
    case "update":
    case "delete":
    case "create":
    case "drop":
    case "alter":
      return facts.changes.includes(effect);
    case "read":
      return rawTables.test(subject) ? facts.error === null && facts.rowCount > 0 : differs(answer);
    case "transaction":
      return !facts.survivesAround || facts.connection.includes("transaction");
    case "attach":
      return facts.connection.includes("attach");
    case "vacuum":
      return facts.wrote || facts.again === "output file already exists";
    case "analyze":
    case "reindex":
      return facts.wrote;
    case "pragma":
      if (facts.connection.includes(effect)) return true;
      return facts.error === null && (facts.connection.length > 0 || facts.rowCount > 0 || actsUnseen.test(subject));
    case "limit":
      return exceeds(subject, { settings, answer, sql: line.sql });
    default:
      return false;
  }
}

/** Storage beneath the tables, whose rows are what they are. */
const rawTables =
  /^(sqlite_dbpage|sqlite_stmt|sqlite_master|dbstat|bytecode|.*_(data|content|docsize|node|idx|config))$/;
/** Pragmas that do something which no switch tells. */
const actsUnseen = /^(optimize|incremental_vacuum|wal_checkpoint)$/;

/** Whether what may not be read made a difference to the answer or to what was written. */
export function differs({ compared }: UnguardedAnswer): boolean {
  const [faithful, ...others] = compared.filter(({ error }) => error?.includes("constraint failed") !== true);
  if (faithful === undefined) return false;
  return others.some((other) => other.answer !== faithful.answer || other.written !== faithful.written);
}

function exceeds(limit: string, how: { settings: SQLPolicySettings; answer: UnguardedAnswer; sql: string }): boolean {
  const { facts, needsLongValues } = how.answer;
  const { limits } = how.settings;
  switch (limit) {
    case "vmSteps":
      return facts.steps > limits.vmSteps;
    case "rowsReturned":
      return facts.rowCount > limits.rowsReturned;
    case "rowsChanged":
      return facts.rowsChanged > (limits.rowsChanged ?? Number.POSITIVE_INFINITY);
    case "resultBytes":
      return facts.resultBytes > limits.resultBytes;
    case "memoryBytes":
      return facts.memoryBytes > limits.memoryBytes;
    case "seconds":
      // Between two steps, where nothing counts: the same statement takes milliseconds when it is bounded.
      return facts.steps < 10_000 && facts.seconds > 1;
    case "sqlBytes":
      return Buffer.byteLength(how.sql) > limits.sqlBytes;
    case "valueBytes":
      return needsLongValues;
    default:
      return false;
  }
}

/** Everything that a text did unguarded and that its policy does not grant, by a reading of the grants of its own. */
export function ungrantedEffects(known: Case): readonly string[] {
  const { settings, answer, hidden } = known;
  const { facts } = answer;
  const found = facts.changes.filter((change) => !grantsChange(change, known));
  if (!facts.survivesAround || facts.connection.includes("transaction")) found.push("transaction");
  found.push(...facts.connection.filter((name) => name.startsWith("pragma ") || name === "attach"));
  if (hidden.worlds.length > 0 && differs(answer)) found.push("read");
  for (const limit of [
    "vmSteps",
    "rowsReturned",
    "rowsChanged",
    "resultBytes",
    "memoryBytes",
    "sqlBytes",
    "valueBytes",
  ])
    if (exceeds(limit, { settings, answer, sql: known.line.sql })) found.push(`limit ${limit}`);
  return found;
}

function grantsChange(change: string, { settings }: Case): boolean {
  const [verb = "", ...rest] = change.split(" ");
  const table = rest.join(" ");
  if (table.startsWith("sqlite_") || /_(data|content|docsize|idx|config|node|parent|rowid)$/.test(table)) return true;
  if (settings.deny.some((effect) => effect.toLowerCase() === verb)) return ["drop", "alter"].includes(verb);
  if (settings.tables === undefined) return true;
  if (verb !== "insert" && verb !== "update" && verb !== "delete") return false;
  return (settings.tables[table] ?? settings.tables["*"])?.[verb] === true;
}
