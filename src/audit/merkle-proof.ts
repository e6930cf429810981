import { emptyRoot, isHash, nodeHash } from "./node-hash.ts";

/** A leaf, the tree that it is said to be in, and its audit path. Hashes are lower-case hexadecimal. */
export interface Inclusion {
  readonly leaf: string;
  /** Position of the leaf, from 0. */
  readonly index: number;
  readonly size: number;
  readonly root: string;
  readonly proof: readonly string[];
}

/** Whether a proof shows that the leaf is at that place of that tree (RFC 9162 section 2.1.3.2). */
export function verifyInclusion({ leaf, index, size, root, proof }: Inclusion): boolean {
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root], proof)) return false;
  let [node, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // The right edge has no sibling on levels where its count is odd.
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash === root;
}

/** Two trees of one log, the earlier first, and what shows that the later one begins with the earlier. */
export interface Consistency {
  readonly from: { readonly size: number; readonly root: string };
  readonly to: { readonly size: number; readonly root: string };
  readonly proof: readonly string[];
}

/** Whether a proof shows that nothing of the earlier tree was changed in the later (RFC 9162 section 2.1.4.2). */
export function verifyConsistency({ from, to, proof }: Consistency): boolean {
  if (!isSize(from.size) || !isSize(to.size) || from.size > to.size) return false;
  if (!areHashes([from.root, to.root], proof)) return false;
  if (from.size === 0) return proof.length === 0 && from.root === emptyRoot && (to.size > 0 || to.root === emptyRoot);
  if (from.size === to.size) return proof.length === 0 && from.root === to.root;
  // A complete earlier tree is a node of the later one, which the proof leaves out.
  const path = isPowerOfTwo(from.size) ? [from.root, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let [node, last] = [from.size - 1, to.size - 1];
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let [earlier, later] = [start, start];
  for (const hash of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      earlier = nodeHash(hash, earlier);
      later = nodeHash(hash, later);
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      later = nodeHash(later, hash);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && earlier === from.root && later === to.root;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** Math.round(Math.log2(value)) === value;
}

/** No tree of a safe size is higher. */
const pathMax = 53;

function areHashes(roots: readonly unknown[], proof: readonly unknown[]): boolean {
  return proof.length <= pathMax && roots.every(isHash) && proof.every(isHash);
}
