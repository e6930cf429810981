import type { AuditPlace, AuditRecord, AuditSegment } from "../../src/core/audit.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { RecordChain } from "../../src/core/record-chain.ts";
import type { Violation } from "../../src/core/syscall.ts";

type Entry = AuditRecord extends infer Each ? (Each extends AuditRecord ? Omit<Each, keyof AuditPlace> : never) : never;

/** A recorder with nothing behind it: numbers entries and seals them as a worker would. */
export class Recorder {
  readonly #chain: RecordChain;

  constructor(worker: number, epoch = 0) {
    this.#chain = new RecordChain({ worker, epoch });
  }

  record(entry: Entry): void {
    const { worker, epoch, sequence, previous } = this.#chain;
    this.#chain.append(canonicalJson({ ...entry, worker, epoch, sequence, previous, policies: "00" }));
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
    this.record({ kind: "end", episode, ...ended, steps: steps.length, violations: steps.flat().length });
  }

  seal(): AuditSegment {
    return this.#chain.seal();
  }
}

const completed = { verdict: "allow", outcome: "completed" } as const;
const ended = { outcome: "completed", reward: 1, cost: 0 };
