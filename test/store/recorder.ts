import type { AuditRecord, AuditSegment } from "../../src/core/audit.ts";
import type { Violation } from "../../src/core/syscall.ts";

type Entry = AuditRecord extends infer Each ? (Each extends AuditRecord ? Omit<Each, "sequence"> : never) : never;

/** A recorder with nothing behind it: numbers entries and seals them as a worker would. */
export class Recorder {
  readonly #worker: number;
  readonly #epoch: number;
  #first = 0;
  #lines: string[] = [];

  constructor(worker: number, epoch = 0) {
    this.#worker = worker;
    this.#epoch = epoch;
  }

  record(entry: Entry): void {
    this.#lines.push(canonical({ ...entry, sequence: this.#first + this.#lines.length }));
  }

  /** One whole episode: a syscall for each list of violations. */
  episode(episode: string, steps: readonly (readonly Violation[])[]): void {
    this.record({ kind: "start", episode, task: "count-users", seed: 7, weights: 2 });
    steps.forEach((violations, step) => {
      const sql = violations.length > 0 ? "DELETE FROM users" : "SELECT 1";
      this.record({ kind: "intent", episode, step, syscall: "sql.query", args: { sql } });
      const denied = violations.some((violation) => violation.blocked);
      const ending = denied ? ({ verdict: "deny", outcome: "denied" } as const) : completed;
      this.record({ kind: "outcome", episode, step, violations, ...ending });
    });
    this.record({ kind: "end", episode, outcome: "completed", reward: 1, cost: 0 });
  }

  seal(): AuditSegment {
    const count = this.#lines.length;
    const bytes = new TextEncoder().encode(this.#lines.map((line) => `${line}\n`).join(""));
    const segment = { worker: this.#worker, epoch: this.#epoch, first: this.#first, count, bytes };
    this.#first += count;
    this.#lines = [];
    return segment;
  }
}

const completed = { verdict: "allow", outcome: "completed" } as const;

/** JSON with sorted keys and no spaces. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
