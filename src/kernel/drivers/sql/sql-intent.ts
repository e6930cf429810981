import { SqlLexer } from "./sql-lexer.ts";
import type { SqlEffect } from "./sql-rules.ts";

/** An effect that a text asks for, whether or not it could have it. */
export interface SqlAttempt {
  readonly effect: SqlEffect;
  /** The table, function or pragma that it names, or empty. */
  readonly subject: string;
}

/**
 * Verbs of SQLite and of other engines, by the effect that they ask for. What reaches the machine around an engine, its files or its
 * processes, asks for an extension.
 */
const verbs: Readonly<Record<string, SqlEffect>> = {
  select: "SELECT",
  values: "SELECT",
  insert: "INSERT",
  replace: "INSERT",
  upsert: "INSERT",
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
  lock: "TRANSACTION",
  unlock: "TRANSACTION",
  vacuum: "VACUUM",
  reindex: "REINDEX",
  analyze: "ANALYZE",
  grant: "GRANT",
  revoke: "GRANT",
  deny: "GRANT",
  exec: "EXTENSION",
  execute: "EXTENSION",
  call: "EXTENSION",
  copy: "EXTENSION",
  load: "EXTENSION",
  install: "EXTENSION",
  backup: "EXTENSION",
  restore: "EXTENSION",
  shutdown: "EXTENSION",
  kill: "EXTENSION",
  xp_cmdshell: "EXTENSION",
};
/** What SET asks for, by the word after it; anything else is a setting of the connection, as a pragma is. */
const settings: Readonly<Record<string, SqlEffect>> = {
  role: "GRANT",
  password: "GRANT",
  transaction: "TRANSACTION",
  autocommit: "TRANSACTION",
};
const extensionFunctions = new Set(
  "load_extension readfile writefile edit load_file pg_read_file lo_import lo_export sys_exec sys_eval xp_cmdshell".split(
    " ",
  ),
);
/** Commands of SQLite's shell that reach files or processes. */
const shellCommands = new Set(
  "backup clone import load log once open output read restore save shell sh system excel".split(" "),
);
const betweenVerbAndSubject = new Set(
  "table view index trigger virtual temp temporary unique if not exists or replace rollback abort fail ignore into from only column database schema tables".split(
    " ",
  ),
);
const effectsOnTables = new Set<SqlEffect>(["INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER"]);
const dataVerbs = new Set(["select", "values", "insert", "replace", "update", "delete"]);
const nestedVerbs = new Set(["insert", "update", "delete", "truncate", "drop"]);
const statementsMax = 100;

/** What a text that does not compile asks for, statement by statement from `from`. EXPLAIN asks for nothing. */
export function attemptsIn(sql: string, from: number, statements = statementsMax): readonly SqlAttempt[] {
  const attempts: SqlAttempt[] = [];
  let at = from;
  for (let count = 0; count < statements && at < sql.length; count++) {
    const { words, end } = wordsUntilSemicolon(sql, at);
    if (words[0]?.text !== "explain") for (const attempt of attemptsOf(words)) attempts.push(attempt);
    // A trigger's body holds statements of its own: they are not asked for yet.
    if (createsTrigger(words) || end <= at) break;
    at = end;
  }
  return attempts;
}

/** The word that a statement begins with, in lower case. */
export function leadingWord(sql: string, from: number): string {
  const lexer = new SqlLexer(sql, from);
  while (lexer.next() === "symbol" && lexer.text() === ";");
  return lexer.kind === "word" ? lexer.text() : "";
}

interface Word {
  readonly text: string;
  readonly isWord: boolean;
  /** Whether it may name a table: a word, or something quoted. */
  readonly isName: boolean;
  /** How many parentheses are open around it. */
  readonly depth: number;
}

function wordsUntilSemicolon(sql: string, from: number): { readonly words: readonly Word[]; readonly end: number } {
  const words: Word[] = [];
  const lexer = new SqlLexer(sql, from);
  let depth = 0;
  while (lexer.next() !== "end") {
    const text = lexer.text();
    if (lexer.kind === "symbol") {
      if (text === ";" && words.length > 0) break;
      if (text === ";") continue;
      if (text === "(") depth++;
      if (text === ")") depth--;
    }
    words.push({ text, isWord: lexer.kind === "word", isName: lexer.kind !== "symbol", depth });
  }
  return { words, end: lexer.end };
}

function createsTrigger(words: readonly Word[]): boolean {
  return words[0]?.text === "create" && words.slice(0, 6).some((word) => word.text === "trigger");
}

function attemptsOf(words: readonly Word[]): readonly SqlAttempt[] {
  const verb = verbOf(words);
  return [...attemptsBy(words, verb), ...nested(words, verb), ...readsIn(words), ...extensions(words)];
}

function verbOf(words: readonly Word[]): number {
  if (words[0]?.text !== "with") return 0;
  return words.findIndex(
    (word, index) =>
      index > 0 && word.depth === 0 && word.isWord && dataVerbs.has(word.text) && words[index + 1] !== undefined,
  );
}

/** What the verb at that place asks for. */
function attemptsBy(words: readonly Word[], at: number): readonly SqlAttempt[] {
  const verb = words[at];
  if (verb === undefined || !verb.isWord) return [];
  if (verb.text === "set") return [attemptOfSet(words.slice(at + 1))];
  const effect = Object.hasOwn(verbs, verb.text) ? verbs[verb.text] : undefined;
  if (effect === undefined) return [];
  const subject = subjectOf(effect, words, at + 1);
  const drops = effect === "ALTER" && words.some((word, index) => index > at && word.isWord && word.text === "drop");
  return drops
    ? [
        { effect, subject },
        { effect: "DROP", subject },
      ]
    : [{ effect, subject }];
}

function attemptOfSet(rest: readonly Word[]): SqlAttempt {
  const names = rest.filter(({ isName }) => isName).map(({ text }) => text);
  const name = names.find((text) => !["session", "local", "global"].includes(text)) ?? "";
  return { effect: Object.hasOwn(settings, name) ? (settings[name] as SqlEffect) : "PRAGMA", subject: name };
}

/** Statements within statements that change rows: other engines take them in parentheses, and in the branches of a MERGE. */
function nested(words: readonly Word[], verb: number): readonly SqlAttempt[] {
  const merged = words[verb]?.text === "merge" ? subjectOf("UPDATE", words, verb + 1) : null;
  return words.flatMap((word, index) => {
    if (index === verb || !word.isWord || !nestedVerbs.has(word.text)) return [];
    // The branches of a MERGE change what the MERGE names.
    if (merged !== null && words[index - 1]?.text === "then")
      return [{ effect: verbs[word.text] as SqlEffect, subject: merged }];
    return words[index - 1]?.text === "(" && words[index + 1]?.isName === true ? attemptsBy(words, index) : [];
  });
}

/** Tables that it would read. */
function readsIn(words: readonly Word[]): readonly SqlAttempt[] {
  return words.flatMap((word, index) => {
    if (!word.isWord || (word.text !== "from" && word.text !== "join")) return [];
    const subject = nameAt(words, index + 1);
    return subject === "" ? [] : [{ effect: "SELECT" as const, subject }];
  });
}

function extensions(words: readonly Word[]): readonly SqlAttempt[] {
  const attempts: SqlAttempt[] = [];
  words.forEach((word, index) => {
    const next = words[index + 1];
    const isCall = word.isWord && extensionFunctions.has(word.text) && next?.text === "(";
    const isFile = word.text === "into" && (next?.text === "outfile" || next?.text === "dumpfile");
    const isShell = index === 0 && word.text === "." && shellCommands.has(next?.text ?? "");
    if (isCall || isFile || isShell)
      attempts.push({ effect: "EXTENSION", subject: isCall ? word.text : (next?.text ?? "") });
  });
  return attempts;
}

/** What an effect is to be had on, as the words from `from` on name it. */
function subjectOf(effect: SqlEffect, words: readonly Word[], from: number): string {
  if (effect === "PRAGMA") return nameAt(words, from);
  if (!effectsOnTables.has(effect)) return "";
  let at = from;
  for (let word = words[at]; word?.isWord && betweenVerbAndSubject.has(word.text); word = words[at]) at++;
  return nameAt(words, at);
}

/** The name at that place, without the schema before it. */
function nameAt(words: readonly Word[], at: number): string {
  if (words[at]?.isName !== true) return "";
  const name = words[at + 1]?.text === "." && words[at + 2]?.isName === true ? words[at + 2] : words[at];
  return name?.text ?? "";
}
