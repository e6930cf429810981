import { emptyRoot, nodeHash } from "./node-hash.ts";

/**
 * An RFC 6962 tree with all of its complete subtrees, to make proofs from: twice the memory of its leaves, and every proof is
 * logarithmic. Hashes are lower-case hexadecimal.
 */
export class MerkleTree {
  /** Complete subtrees by level: entry `i` of level `l` is the root over leaves `i · 2^l` to `(i + 1) · 2^l`. */
  readonly #levels: string[][];

  /** @param leaves Leaf hashes (RFC 6962 section 2.1). */
  constructor(leaves: readonly string[]) {
    const levels = [[...leaves]];
    for (let level = levels[0] as string[]; level.length > 1; levels.push(level)) {
      const below = level;
      level = Array.from({ length: Math.floor(below.length / 2) }, (_, index) =>
        nodeHash(below[2 * index] as string, below[2 * index + 1] as string),
      );
    }
    this.#levels = levels;
  }

  get size(): number {
    return (this.#levels[0] as string[]).length;
  }

  /** Root of the tree as it was at a size (RFC 6962 section 2.1). */
  root(size = this.size): string {
    this.#checkSize(size);
    return size === 0 ? emptyRoot : this.#subtree(0, size);
  }

  /**
   * Audit path of a leaf in the tree of a size (RFC 6962 section 2.1.1), from the leaf's sibling up.
   * @throws {RangeError} when the tree of that size has no such leaf.
   */
  inclusionProof(index: number, size = this.size): readonly string[] {
    this.#checkSize(size);
    if (!Number.isInteger(index) || index < 0 || index >= size) {
      throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
    }
    const proof: string[] = [];
    let [start, end] = [0, size];
    while (end - start > 1) {
      const middle = start + splitOf(end - start);
      if (index < middle) {
        proof.push(this.#subtree(middle, end));
        end = middle;
      } else {
        proof.push(this.#subtree(start, middle));
        start = middle;
      }
    }
    return proof.reverse();
  }

  /**
   * Proof that the tree of a size has the tree of a smaller one as its beginning (RFC 6962 section 2.1.2). Empty where the
   * smaller one is empty or both are the same.
   * @throws {RangeError} when the sizes are not those of this tree, the smaller first.
   */
  consistencyProof(from: number, to = this.size): readonly string[] {
    this.#checkSize(to);
    if (!Number.isInteger(from) || from < 0 || from > to) {
      throw new RangeError(`expected sizes 0 ≤ from ≤ to, got ${from} and ${to}`);
    }
    if (from === 0 || from === to) return [];
    const proof: string[] = [];
    let [start, end] = [0, to];
    // Down to the subtree that ends where the smaller tree ends.
    while (end !== from) {
      const middle = start + splitOf(end - start);
      if (from <= middle) {
        proof.push(this.#subtree(middle, end));
        end = middle;
      } else {
        proof.push(this.#subtree(start, middle));
        start = middle;
      }
    }
    // Whoever checks holds this one already where it is the whole smaller tree.
    if (start > 0) proof.push(this.#subtree(start, end));
    return proof.reverse();
  }

  /** Root over the leaves from `start` to `end`, of which `start` is a multiple of the power of two not below the length. */
  #subtree(start: number, end: number): string {
    const length = end - start;
    const level = Math.log2(length);
    if (Number.isInteger(level)) return (this.#levels[level] as string[])[start / length] as string;
    const middle = start + splitOf(length);
    return nodeHash(this.#subtree(start, middle), this.#subtree(middle, end));
  }

  #checkSize(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.size) {
      throw new RangeError(`expected a size of 0 to ${this.size}, got ${size}`);
    }
  }
}

/** The largest power of two below a length > 1: how many leaves go to the left (RFC 6962 section 2.1). */
function splitOf(length: number): number {
  return 2 ** Math.floor(Math.log2(length - 1));
}
