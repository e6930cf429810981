import type { DatabaseSync } from "node:sqlite";
import { FaradayError } from "../../core/errors.ts";
import type { RunStatus } from "../lightning-store.ts";

/** Runs and their statuses: running, then ended, then perhaps resumed. */
export class RunTable {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  begin(run: { readonly id: string; readonly config: unknown }): void {
    const { changes } = this.#database
      .prepare(
        `INSERT INTO runs (id, status, config, started_at) VALUES (?, 'running', ?, ?) ON CONFLICT (id) DO NOTHING`,
      )
      .run(run.id, JSON.stringify(run.config ?? null), Date.now());
    if (Number(changes) === 0) throw new FaradayError(`run ${run.id} is already in the store`);
  }

  resume(id: string): { readonly epoch: number } {
    const key = this.keyOf(id);
    this.#database.prepare("UPDATE runs SET status = 'running', report = NULL, ended_at = NULL WHERE key = ?").run(key);
    const row = this.#database
      .prepare("SELECT coalesce(max(epoch) + 1, 0) AS epoch FROM audit_segments WHERE run = ?")
      .get(key);
    return { epoch: Number(row?.epoch) };
  }

  end(run: { readonly id: string; readonly status: RunStatus; readonly report?: unknown }): void {
    const { changes } = this.#database
      .prepare("UPDATE runs SET status = ?, report = ?, ended_at = ? WHERE key = ? AND status = 'running'")
      .run(run.status, JSON.stringify(run.report ?? null), Date.now(), this.keyOf(run.id));
    if (Number(changes) === 0) throw new FaradayError(`run ${run.id} is not running, so it cannot end`);
  }

  /** The integer that stands for a run in every table. */
  keyOf(id: string): number {
    const row = this.#database.prepare("SELECT key FROM runs WHERE id = ?").get(id);
    if (row === undefined) throw new FaradayError(`run ${id} is not in the store`);
    return Number(row.key);
  }
}
