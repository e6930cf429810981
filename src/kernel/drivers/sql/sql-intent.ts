import { SqlLexer } from "./sql-lexer.ts";
import type { SqlEffect } from "./sql-rules.ts";

/** An effect that a text asks for, whether or not it could have it. */
export interface SqlAttempt {
  readonly effect: SqlEffect;
  /** The object it names, or empty. */
  readonly subject: string;
}

/** Verbs of SQLite and of other engines, by the effect that they ask for. */
const verbs: Readonly<Record<string, SqlEffect>> = {
  select: "SELECT",
  values: "SELECT",
  insert: "INSERT",
  replace: "INSERT",
  update: "UPDATE",
  merge: "UPDATE",
  delete: "DELETE",
  truncate: "DELETE",
  create: "CREATE",
  drop: "DROP",
  alter: "ALTER",
  rename: "ALTER",
  pragma: "PRAGMA",
  attach: "ATTACH",
  detach: "ATTACH",
  begin: "TRANSACTION",
  start: "TRANSACTION",
  commit: "TRANSACTION",
  end: "TRANSACTION",
  rollback: "TRANSACTION",
  savepoint: "TRANSACTION",
  release: "TRANSACTION",
  vacuum: "VACUUM",
  reindex: "REINDEX",
  analyze: "ANALYZE",
  grant: "GRANT",
  revoke: "GRANT",
  deny: "GRANT",
};
const extensionFunctions = new Set(["load_extension", "readfile", "writefile", "edit"]);
const betweenVerbAndSubject = new Set(
  "table view index trigger virtual temp temporary unique if not exists or replace rollback abort fail ignore into from only column".split(
    " ",
  ),
);
const effectsOnTables = new Set<SqlEffect>(["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER"]);
const statementsMax = 100;

/** What a text that does not compile asks for, statement by statement from `from`. EXPLAIN asks for nothing. */
export function attemptsIn(sql: string, from: number): readonly SqlAttempt[] {
  const attempts: SqlAttempt[] = [];
  let at = from;
  for (let count = 0; count < statementsMax && at < sql.length; count++) {
    const statement = readStatement(sql, at);
    attempts.push(...statement.attempts);
    // A trigger's body holds statements of its own: they are not asked for yet.
    if (statement.isTrigger || statement.end <= at) break;
    at = statement.end;
  }
  return attempts;
}

/** The word that a statement begins with, in lower case. */
export function leadingWord(sql: string, from: number): string {
  const lexer = new SqlLexer(sql, from);
  while (lexer.next() === "symbol" && lexer.text() === ";");
  return lexer.kind === "word" ? lexer.text() : "";
}

function readStatement(sql: string, from: number) {
  const tokens = tokensUntilSemicolon(sql, from);
  const words = tokens.list;
  const explained = words[0]?.text === "explain";
  const verbAt = words[0]?.text === "with" ? verbAfterWith(words) : 0;
  const verb = words[verbAt];
  const attempts: SqlAttempt[] = [];
  const effect = verb?.isWord === true && Object.hasOwn(verbs, verb.text) ? verbs[verb.text] : undefined;
  if (effect !== undefined && !explained) {
    const subject = subjectOf(effect, words.slice(verbAt + 1));
    attempts.push({ effect, subject });
    if (effect === "ALTER" && words.some((word) => word.isWord && word.text === "drop"))
      attempts.push({ effect: "DROP", subject });
  }
  if (!explained) attempts.push(...extensionCalls(words));
  const isTrigger = verb?.text === "create" && words.slice(0, 6).some((word) => word.text === "trigger");
  return { attempts, end: tokens.end, isTrigger };
}

function subjectOf(effect: SqlEffect, words: readonly Word[]): string {
  if (!effectsOnTables.has(effect)) return "";
  const subject = words.find((word) => !betweenVerbAndSubject.has(word.text))?.text ?? "";
  return /^[^\s;()]+$/.test(subject) ? subject : "";
}

interface Word {
  readonly text: string;
  readonly isWord: boolean;
  /** How many parentheses are open around it. */
  readonly depth: number;
}

function tokensUntilSemicolon(sql: string, from: number): { readonly list: readonly Word[]; readonly end: number } {
  const list: Word[] = [];
  const lexer = new SqlLexer(sql, from);
  let depth = 0;
  while (lexer.next() !== "end") {
    const text = lexer.text();
    if (lexer.kind === "symbol") {
      if (text === ";") {
        if (list.length > 0) break;
        continue;
      }
      if (text === "(") depth++;
      if (text === ")") depth--;
    }
    list.push({ text, isWord: lexer.kind === "word", depth });
  }
  return { list, end: lexer.end };
}

function verbAfterWith(words: readonly Word[]): number {
  return words.findIndex(
    (word, index) =>
      index > 0 && word.depth === 0 && word.isWord && dataVerbs.has(word.text) && words[index + 1] !== undefined,
  );
}
const dataVerbs = new Set(["select", "values", "insert", "replace", "update", "delete"]);

function extensionCalls(words: readonly Word[]): readonly SqlAttempt[] {
  return words
    .filter((word, index) => word.isWord && extensionFunctions.has(word.text) && words[index + 1]?.text === "(")
    .map((word) => ({ effect: "EXTENSION", subject: word.text }));
}
