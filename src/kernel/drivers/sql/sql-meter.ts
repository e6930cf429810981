import { progressSteps } from "./sql-engine.ts";
import type { SqlFindings } from "./sql-findings.ts";
import type { SqlLimit, SqlLimits } from "./sql-rules.ts";

/** What the meter reads of the engine; all of it repeats exactly. */
export interface MeteredMemory {
  /** Bytes in use. */
  used(): number;
  /** The largest piece asked for since {@link forgetLargest}. */
  largest(): number;
  forgetLargest(): void;
}

/** Pieces up to here may be the engine's own tables; a step that moves them costs what a step costs. */
const pieceBytesMax = 32_768;
/** Bytes that cost as much as one step when a thousand steps may each move them. */
const bytesPerStep = 4;

/**
 * Counts what a text uses, and stops it. Steps of the virtual machine are no measure of work once values are large: a step may read
 * all of a megabyte. So a statement that has held a large value pays for it with every step that follows.
 */
export class SqlMeter {
  readonly #memory: MeteredMemory;
  readonly #findings: SqlFindings;
  #limits: SqlLimits;
  #memoryAtStart = 0;
  #memoryMost = 0;
  #steps = 0;
  #stepsBefore = 0;
  #charged = 0;
  #rows = 0;
  #indexes = false;
  /** The limit that stopped the text. */
  stopped: SqlLimit | null = null;

  constructor(parts: { readonly memory: MeteredMemory; readonly findings: SqlFindings; readonly limits: SqlLimits }) {
    this.#memory = parts.memory;
    this.#findings = parts.findings;
    this.#limits = parts.limits;
  }

  beginText(limits: SqlLimits): void {
    this.#limits = limits;
    this.#steps = 0;
    this.#stepsBefore = 0;
    this.#charged = 0;
    this.#rows = 0;
    this.#memoryMost = 0;
    this.#memoryAtStart = this.#memory.used();
    this.stopped = null;
  }

  /** @param indexes Whether a full-text index is written: its hash table is one large piece, of a power of two. */
  beginRunning(indexes: boolean): void {
    this.#indexes = indexes;
    this.#memory.forgetLargest();
  }

  /** What the text has used so far. */
  get usage(): Pick<SqlLimits, "rowsChanged" | "vmSteps" | "memoryBytes"> {
    return { rowsChanged: this.#rows, vmSteps: this.#steps + this.#charged, memoryBytes: this.#memoryMost };
  }

  /** Answers whether the text must stop. */
  progress(): boolean {
    this.#steps += progressSteps;
    this.#chargeLargest();
    const memory = this.#memory.used() - this.#memoryAtStart;
    if (memory > this.#memoryMost) this.#memoryMost = memory;
    if (this.stopped === null && memory > this.#limits.memoryBytes) this.exceed("memoryBytes");
    return this.stopped !== null;
  }

  /** Takes the number of steps of a finished statement: progress is told in portions. */
  finishStatement(steps: number): void {
    this.#steps = Math.max(this.#steps, this.#stepsBefore + steps);
    this.#stepsBefore = this.#steps;
    this.#checkSteps();
  }

  /** Charges work that no step shows. Answers whether the text may go on. */
  spend(steps: number): boolean {
    this.#charged += steps;
    this.#checkSteps();
    return this.stopped === null;
  }

  /** Counts a changed row. Answers whether the text may go on. */
  countRow(isBounded: boolean): boolean {
    this.#rows++;
    if (this.#rows <= this.#limits.rowsChanged || !isBounded) return true;
    this.exceed("rowsChanged");
    return false;
  }

  exceed(limit: SqlLimit): void {
    this.stopped ??= limit;
    this.#findings.exceed(limit, this.#limits);
  }

  #chargeLargest(): void {
    const largest = this.#memory.largest();
    const isHashTable = this.#indexes && (largest & (largest - 1)) === 0;
    if (largest > pieceBytesMax && !isHashTable)
      this.#charged += Math.floor(((largest - pieceBytesMax) * progressSteps) / (1_000 * bytesPerStep));
    this.#checkSteps();
  }

  #checkSteps(): void {
    if (this.#steps + this.#charged > this.#limits.vmSteps) this.exceed("vmSteps");
  }
}
