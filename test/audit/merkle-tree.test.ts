import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompactRange } from "../../src/audit/compact-range.ts";
import { lineHashes } from "../../src/audit/line-hashes.ts";
import { verifyConsistency, verifyInclusion } from "../../src/audit/merkle-proof.ts";
import { MerkleTree } from "../../src/audit/merkle-tree.ts";
import { recordHash } from "../../src/core/audit.ts";

/** The tree that Certificate Transparency's implementations share as a test: eight entries, and its heads at every size. */
const entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const heads = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const left4 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7";
const right4 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const pair23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const pair67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const leaf1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const leaf4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const pair45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

const reference = entries.map((entry) => hash("sha256", Buffer.from(`00${entry}`, "hex"), "hex"));

describe("the reference tree of Certificate Transparency", () => {
  it("has its known head at every size, whole and grown leaf by leaf", () => {
    const tree = new MerkleTree(reference);
    const range = new CompactRange();
    expect([range.root(), tree.root(0)]).toEqual([heads[0], heads[0]]);
    reference.forEach((leaf, index) => {
      range.append(leaf);
      expect([range.size, range.root(), tree.root(index + 1)]).toEqual([index + 1, heads[index + 1], heads[index + 1]]);
    });
  });

  it("has its known inclusion proofs", () => {
    const tree = new MerkleTree(reference);
    expect(tree.inclusionProof(0)).toEqual([leaf1, pair23, right4]);
    expect(tree.inclusionProof(5)).toEqual([leaf4, pair67, left4]);
    expect(tree.inclusionProof(0, 1)).toEqual([]);
    expect(tree.inclusionProof(2, 3)).toEqual([heads[2]]);
  });

  it("has its known consistency proofs", () => {
    const tree = new MerkleTree(reference);
    expect(tree.consistencyProof(2, 8)).toEqual([pair23, right4]);
    expect(tree.consistencyProof(6, 8)).toEqual([pair45, pair67, left4]);
    expect(tree.consistencyProof(1, 8)).toEqual([leaf1, pair23, right4]);
    expect([tree.consistencyProof(0, 8), tree.consistencyProof(8, 8)]).toEqual([[], []]);
  });
});

const sizeMax = 300;
const leaves = Array.from({ length: sizeMax }, (_, index) => recordHash(`record ${index}`));
const tree = new MerkleTree(leaves);
const roots = Array.from({ length: sizeMax + 1 }, (_, size) => tree.root(size));
const other = recordHash("another");

describe(`all trees of up to ${sizeMax} leaves`, () => {
  it("have the root that the definition gives", () => {
    const range = new CompactRange();
    for (let size = 0; size <= sizeMax; size++) {
      expect(range.root()).toBe(roots[size]);
      expect(definition(leaves.slice(0, size))).toBe(roots[size]);
      range.append(leaves[size] ?? other);
    }
  });

  it("prove every leaf, and no proof holds for another leaf, place, tree or path", () => {
    let wrong = 0;
    let proofs = 0;
    for (let size = 1; size <= sizeMax; size++) {
      const root = roots[size] as string;
      for (let index = 0; index < size; index++) {
        const proof = tree.inclusionProof(index, size);
        const good = { leaf: leaves[index] as string, index, size, root, proof };
        const near = (index + 1) % size;
        const bad = [
          { ...good, leaf: other },
          { ...good, root: other },
          { ...good, size: size + 1, root: roots[size + 1] ?? other },
          { ...good, size: size - 1, root: roots[size - 1] as string },
          { ...good, index: size },
          { ...good, proof: [...proof, other] },
          ...(near === index
            ? []
            : [
                { ...good, index: near },
                { ...good, leaf: leaves[near] as string },
              ]),
          ...(proof.length === 0
            ? []
            : [
                { ...good, proof: proof.slice(1) },
                { ...good, proof: [other, ...proof.slice(1)] },
              ]),
        ];
        proofs++;
        // Altered ones for every fourth, in a pattern that meets every size and index: the rest would take most of the time.
        if (!verifyInclusion(good) || ((size + index) % 4 === 0 && bad.some(verifyInclusion))) wrong++;
      }
    }
    expect({ proofs, wrong }).toEqual({ proofs: (sizeMax * (sizeMax + 1)) / 2, wrong: 0 });
  }, 120_000);

  it("prove that they begin with every smaller one, and no altered proof holds", () => {
    let wrong = 0;
    let proofs = 0;
    for (let to = 0; to <= sizeMax; to++) {
      for (let from = 0; from <= to; from++) {
        const proof = tree.consistencyProof(from, to);
        const good = { from: at(from), to: at(to), proof };
        const bad = [
          { ...good, from: { size: from, root: other } },
          // Every tree begins with the empty one, whose proof is empty: nothing ties it to a root.
          ...(from === 0 ? [] : [{ ...good, to: { size: to, root: other } }]),
          { ...good, proof: [...proof, other] },
          ...(from === to ? [] : [{ ...good, from: at(to), to: at(from) }]),
          ...(from > 1 && from < to ? [{ ...good, from: at(from - 1) }] : []),
          ...(from > 0 && to < sizeMax ? [{ ...good, to: at(to + 1) }] : []),
          ...(proof.length === 0
            ? []
            : [
                { ...good, proof: proof.slice(0, -1) },
                { ...good, proof: [other, ...proof.slice(1)] },
              ]),
        ];
        proofs++;
        if (!verifyConsistency(good) || ((from + to) % 4 === 0 && bad.some(verifyConsistency))) wrong++;
      }
    }
    expect({ proofs, wrong }).toEqual({ proofs: ((sizeMax + 1) * (sizeMax + 2)) / 2, wrong: 0 });
  }, 120_000);
});

it("a proof with any one digit changed does not hold", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: sizeMax }), fc.nat(), fc.nat(), fc.nat(), (size, at, which, digit) => {
      const index = at % size;
      const proof = [...tree.inclusionProof(index, size)];
      const position = which % proof.length;
      proof[position] = changed(proof[position] as string, digit % 64);
      const leaf = leaves[index] as string;
      expect(verifyInclusion({ leaf, index, size, root: roots[size] as string, proof })).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

it("what is no size, index or hash proves nothing", () => {
  const good = {
    leaf: leaves[3] as string,
    index: 3,
    size: 7,
    root: roots[7] as string,
    proof: tree.inclusionProof(3, 7),
  };
  expect(verifyInclusion(good)).toBe(true);
  for (const index of [-1, 3.5, Number.NaN, 7, 2 ** 53]) expect(verifyInclusion({ ...good, index })).toBe(false);
  for (const size of [0, -1, Number.POSITIVE_INFINITY]) expect(verifyInclusion({ ...good, size })).toBe(false);
  expect(verifyInclusion({ ...good, leaf: good.leaf.toUpperCase() })).toBe(false);
  expect(verifyInclusion({ ...good, proof: Array.from({ length: 100_000 }, () => other) })).toBe(false);
  expect(() => tree.inclusionProof(7, 7)).toThrow("no leaf 7");
  expect(() => tree.consistencyProof(8, 7)).toThrow("0 ≤ from ≤ to");
  expect(() => tree.root(sizeMax + 1)).toThrow("size");
});

it("line hashes are record hashes, whatever the bytes", () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", " "));
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(""));
      expect(lineHashes(bytes)).toMatchObject({ complete: true, hashes: lines.map((text) => recordHash(text)) });
    }),
  );
  expect(lineHashes(new TextEncoder().encode("a\nb"))).toMatchObject({
    complete: false,
    hashes: ["a", "b"].map(recordHash),
  });
});

function at(size: number) {
  return { size, root: roots[size] as string };
}

/** MTH of RFC 6962 section 2.1, as it is written there. */
function definition(hashes: readonly string[]): string {
  if (hashes.length === 0) return hash("sha256", "", "hex");
  if (hashes.length === 1) return hashes[0] as string;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  const children = definition(hashes.slice(0, split)) + definition(hashes.slice(split));
  return hash("sha256", Buffer.from(`01${children}`, "hex"), "hex");
}

function changed(hex: string, position: number): string {
  const digit = ((Number.parseInt(hex[position] as string, 16) + 1) % 16).toString(16);
  return hex.slice(0, position) + digit + hex.slice(position + 1);
}
