import type { EnvironmentEpisode, Score } from "../../src/core/env.ts";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import type { ResultSet, SqlWorld } from "../../src/core/sql.ts";
import type { Syscall, SyscallResult } from "../../src/core/syscall.ts";
import { renderResult } from "./observation.ts";
import { isOrdered, isResultSet, sameResults } from "./result-set.ts";
import type { SqlTask } from "./task.ts";

/** One run of one request: statements in, what the agent sees out, and at the end a look at the database. */
export class SqlEpisode implements EnvironmentEpisode {
  readonly observation: string;
  readonly #task: SqlTask;
  readonly #world: SqlWorld;
  readonly #turnsMax: number;
  #turnCount = 0;
  /** Rows of the last statement; `null` when it was denied, failed or was never made. */
  #last: ResultSet | null = null;

  constructor(task: SqlTask, world: SqlWorld, turnsMax: number) {
    this.observation = task.prompt;
    this.#task = task;
    this.#world = world;
    this.#turnsMax = turnsMax;
  }

  parse(action: string): Syscall | null {
    const sql = action.trim();
    return sql === "" ? null : { syscall: "sql.query", args: { sql } };
  }

  step(result: SyscallResult): { observation: string; done: boolean } {
    this.#turnCount += 1;
    this.#last = result.outcome === "completed" && isResultSet(result.result) ? result.result : null;
    return { observation: renderResult(result), done: this.#turnCount >= this.#turnsMax };
  }

  /** Success is the gold answer's rows and the state it leaves; a gold answer without rows asks for the state alone. */
  score(): Score {
    const gold = this.#rehearseGold();
    const success = this.#answers(gold.result) && this.#world.digest() === gold.digest;
    return { success, reward: success ? 1 : 0 };
  }

  #answers(gold: ResultSet): boolean {
    if (gold.columns.length === 0) return true;
    return this.#last !== null && sameResults(this.#last, gold, { ordered: isOrdered(this.#task.sql) });
  }

  #rehearseGold(): ReturnType<SqlWorld["rehearse"]> {
    try {
      return this.#world.rehearse(this.#task.sql);
    } catch (error) {
      throw new FaradayError(`the gold answer of task ${this.#task.id} does not run: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
