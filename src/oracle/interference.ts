import type { SqlTwin } from "../kernel/drivers/sql/sql-trust.ts";
import { attempt } from "./attempt.ts";
import { rowsAsText } from "./rows-as-text.ts";
import { scrambledWorldOf } from "./scramble.ts";
import type { SqlGrants } from "./sql-grants.ts";
import type { SqlStep } from "./sql-oracle.ts";
import { factsOf, type ReadableState, readableState, type WorldFacts } from "./world-facts.ts";

/**
 * Whether an answer, or what was written, depends on anything that may not be read (non-interference): the text is run in a
 * world that differs from the true one only there. Where the outcomes differ, and running it in faithful copies shows that
 * neither chance nor the engine's choice of an order is the reason, it read what was not granted.
 */
export function findInterference(
  twin: SqlTwin,
  how: { readonly step: SqlStep; readonly changed: boolean },
  grants: SqlGrants,
): readonly string[] {
  const { step, changed } = how;
  const hidesSchema = schemaTable.test(step.sql) && !grants.permitsReading("sqlite_schema", "");
  const world = scrambledWorldOf(twin, step.before, grants);
  if (world === null && !hidesSchema) return [];
  const { readable: before, readableBy } = factsOf(twin, step.before, { grants });
  const asked = changed ? readableBy : nothing;
  twin.load(world?.file ?? step.before);
  if (hidesSchema) twin.exec("CREATE TABLE oracle_hidden (x)");
  const scrambled = outcomeOf(twin, step.sql, asked);
  if (scrambled === null) return [];
  const comparable = [...before]
    .filter(([table, rows]) => (world?.readable.get(table) ?? rows) === rows)
    .map(([table]) => table);
  const differ = (a: ReadableState, b: ReadableState) => comparable.some((table) => a.get(table) !== b.get(table));
  const sameAnswer = step.told === null || rowsAsText(step.told) === scrambled.answer;
  const sameState = () => !differ(factsOf(twin, step.after, { grants, like: step.before }).readable, scrambled.state);
  if (sameAnswer && (!changed || sameState())) return [];
  twin.load(step.before);
  const faithful = outcomeOf(twin, step.sql, asked);
  if (faithful === null) return [];
  const found: string[] = [];
  if (step.told !== null && faithful.answer !== scrambled.answer && !dependsOnOrder(twin, step, faithful.answer))
    found.push("the answer depends on what may not be read");
  if (changed && differ(faithful.state, scrambled.state))
    found.push("what was written depends on what may not be read");
  return found;
}

const nothing: WorldFacts["readableBy"] = new Map();
const schemaTable = /sqlite_(temp_)?(master|schema)/i;

interface Outcome {
  readonly answer: string;
  readonly state: ReadableState;
}

/** What a text answers and what readable state it leaves; `null` where a constraint stopped it. */
function outcomeOf(twin: SqlTwin, sql: string, asked: WorldFacts["readableBy"]): Outcome | null {
  let answer = "";
  const failure = attempt(() => {
    answer = rowsAsText(twin.query(sql));
  });
  if (failure?.includes("constraint failed") === true) return null;
  return { answer: failure === null ? answer : `failed: ${failure}`, state: readableState(twin, asked) };
}

/** Whether the text leaves open which rows it answers, so that another order of the same rows changes the answer. */
function dependsOnOrder(twin: SqlTwin, step: SqlStep, answer: string): boolean {
  twin.load(step.before);
  twin.exec("PRAGMA reverse_unordered_selects = ON");
  try {
    return outcomeOf(twin, step.sql, nothing)?.answer !== answer;
  } finally {
    twin.exec("PRAGMA reverse_unordered_selects = OFF");
  }
}
