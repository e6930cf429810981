import type { Phase } from "../core/episode.ts";
import { CompactRange } from "./compact-range.ts";

/** The tree of a log as it is recomputed: its roots at the sizes of interest, and where it was disturbed. */
export class TreeWalk {
  readonly #range = new CompactRange();
  readonly #sizes: readonly number[];
  readonly #roots = new Map<number, string>();
  readonly #faults: number[] = [];
  readonly #ends: BatchEnd[] = [];
  #wanted = 0;
  #lost = 0;

  /** @param sizes Sizes whose roots are asked for later. */
  constructor(sizes: readonly number[]) {
    this.#sizes = [...new Set(sizes)].sort((a, b) => a - b);
    this.#remember();
  }

  /** Leaves so far, those included that are lost. */
  get size(): number {
    return this.#range.size + this.#lost;
  }

  /** Where each batch ends. */
  get ends(): readonly BatchEnd[] {
    return this.#ends;
  }

  append(leaves: readonly string[]): void {
    if (this.#lost > 0) this.#lost += leaves.length;
    else for (const leaf of leaves) this.#append(leaf);
  }

  /** From here on nothing can be recomputed. */
  lose(count: number): void {
    this.#lost += Math.max(count, 1);
  }

  /** Notes that something was found from this leaf on, and so explains a root that differs. */
  disturb(leaf: number): void {
    this.#faults.push(leaf);
  }

  end(end: Omit<BatchEnd, "size">): void {
    this.#ends.push({ ...end, size: this.size });
  }

  root(): string {
    return this.#range.root();
  }

  /** The root at one of the sizes asked for; `null` where it cannot be recomputed. */
  rootAt(size: number): string | null {
    return this.#roots.get(size) ?? null;
  }

  /** Whether something was found in the leaves from one size up to another. */
  isDisturbed(from: number, to: number): boolean {
    return this.#faults.some((leaf) => leaf >= from && leaf < to);
  }

  #append(leaf: string): void {
    this.#range.append(leaf);
    if (this.#range.size === this.#sizes[this.#wanted]) this.#remember();
  }

  #remember(): void {
    if (this.#range.size !== this.#sizes[this.#wanted]) return;
    this.#roots.set(this.#range.size, this.#range.root());
    this.#wanted++;
  }
}

export interface BatchEnd {
  readonly size: number;
  /** Which batch, where that can be read. */
  readonly batch: { readonly phase: Phase; readonly iteration: number } | null;
}
