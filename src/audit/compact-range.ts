import { emptyRoot, nodeHash } from "./node-hash.ts";

/**
 * A growing RFC 6962 tree of which only the roots of its complete subtrees are kept: one for each bit of its size, so that
 * memory and the cost of a root are logarithmic and an append costs one hash on average. Hashes are lower-case hexadecimal.
 */
export class CompactRange {
  /** By level. Level 0 is a leaf in hexadecimal, those above are latin1; stale where the size has no such bit. */
  readonly #subtrees: string[] = [];
  #size = 0;

  /** Another of the same leaves, which grows on its own. */
  copy(): CompactRange {
    const other = new CompactRange();
    other.#subtrees.push(...this.#subtrees);
    other.#size = this.#size;
    return other;
  }

  /** How many leaves were appended. */
  get size(): number {
    return this.#size;
  }

  /** @param leaf Leaf hash (RFC 6962 section 2.1), 64 hexadecimal digits. */
  append(leaf: string): void {
    const subtrees = this.#subtrees;
    let subtree = leaf;
    let level = 0;
    // Every complete subtree of the same height to the left is joined; not by bits, which end at 2^31.
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      subtree = nodeHash(subtrees[level] as string, subtree, level === 0 ? "hex" : "latin1", "latin1");
      level++;
    }
    subtrees[level] = subtree;
    this.#size++;
  }

  /** Root of the tree as it is now (RFC 6962 section 2.1), hexadecimal. */
  root(): string {
    let root: string | undefined;
    let level = 0;
    for (let rest = this.#size; rest > 0; rest = Math.floor(rest / 2)) {
      if (rest % 2 === 1) {
        const subtree = level === 0 ? latin1(this.#subtrees[0] as string) : (this.#subtrees[level] as string);
        root = root === undefined ? subtree : nodeHash(subtree, root, "latin1", "latin1");
      }
      level++;
    }
    return root === undefined ? emptyRoot : Buffer.from(root, "latin1").toString("hex");
  }
}

function latin1(hex: string): string {
  return Buffer.from(hex, "hex").toString("latin1");
}
