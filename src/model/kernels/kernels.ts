import { readFileSync } from "node:fs";
import { Instance, Module, type WasmMemory, type WasmModule } from "./web-assembly.ts";

/** The `.as` files beside this one, compiled by `npm run kernels`. Pointers are bytes in the memory; the source says what each argument is. */
type Product = (
  target: number,
  left: number,
  right: number,
  rows: number,
  depth: number,
  columns: number,
  how: HowToPut,
) => void;

export interface Kernels {
  multiply: Product;
  multiplyTransposed: Product;
  normalise(target: number, input: number, gain: number, rows: number, width: number): void;
  takeRows(target: number, input: number, rows: number, count: number, width: number): void;
  turn(
    projected: number,
    positions: number,
    cosine: number,
    sine: number,
    count: number,
    width: number,
    heads: number,
    direction: 1 | -1,
  ): void;
  keep(projected: number, places: number, keys: number, values: number, count: number, width: number): void;
  attend(
    mixed: number,
    projected: number,
    places: number,
    positions: number,
    reaches: number,
    keys: number,
    values: number,
    scores: number,
    count: number,
    width: number,
    heads: number,
  ): void;
  mix(
    logits: number,
    written: number,
    queries: number,
    keys: number,
    shares: number,
    tokens: number,
    ends: number,
    reaches: number,
    scores: number,
    copied: number,
    count: number,
    columns: number,
    width: number,
  ): void;
  mixBack(
    slopes: number,
    querySlopes: number,
    keySlopes: number,
    shareSlopes: number,
    written: number,
    queries: number,
    keys: number,
    shares: number,
    tokens: number,
    ends: number,
    reaches: number,
    scores: number,
    copied: number,
    count: number,
    columns: number,
    width: number,
  ): void;
  draw(logits: number, weights: number, found: number, count: number, factor: number, uniform: number): number;
  mostProbable(logits: number, count: number): number;

  transpose(target: number, input: number, rows: number, columns: number): void;
  scatterAdd(target: number, input: number, rows: number, count: number, width: number): void;
  probabilities(logits: number, targets: number, found: number, count: number, columns: number, factor: number): void;
  probabilitiesBack(
    probabilities: number,
    targets: number,
    slopes: number,
    count: number,
    columns: number,
    factor: number,
  ): void;
  entropies(probabilities: number, found: number, count: number, columns: number): void;
  probabilitiesAndEntropiesBack(
    probabilities: number,
    targets: number,
    slopes: number,
    entropies: number,
    entropySlopes: number,
    count: number,
    columns: number,
    factor: number,
  ): void;
  normaliseBack(
    inputSlope: number,
    gainSlope: number,
    outputSlope: number,
    input: number,
    gain: number,
    rows: number,
    width: number,
  ): void;
  forget(numbers: number, count: number, seed: number, threshold: number): void;
  cutBack(slopes: number, outputs: number, count: number): void;
  attendWithin(
    mixed: number,
    projected: number,
    positions: number,
    reaches: number,
    scores: number,
    count: number,
    width: number,
    heads: number,
  ): void;
  attendWithinBack(
    projectedSlope: number,
    mixedSlope: number,
    projected: number,
    positions: number,
    reaches: number,
    scores: number,
    count: number,
    width: number,
    heads: number,
  ): void;
}

/** What `multiply` does with its results: puts them, adds them to what is there, or puts what is above 0 and 0 for the rest. */
export const howToPut = { put: 0, add: 1, cut: 2 } as const;
export type HowToPut = (typeof howToPut)[keyof typeof howToPut];

let compiled: WasmModule | undefined;

/** Kernels that work on a memory; compiled once a thread. */
export function kernelsOn(memory: WasmMemory): Kernels {
  compiled ??= new Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
  return new Instance(compiled, { env: { memory } }).exports as unknown as Kernels;
}
