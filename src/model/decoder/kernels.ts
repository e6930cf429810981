import { readFileSync } from "node:fs";
import { Instance, Module, type WasmMemory, type WasmModule } from "./web-assembly.ts";

/** `kernels.as`, compiled by `npm run kernels`. Pointers are bytes in the memory; the source says what each argument is. */
export interface Kernels {
  multiply(
    target: number,
    left: number,
    right: number,
    rows: number,
    depth: number,
    columns: number,
    how: HowToPut,
  ): void;
  normalise(target: number, input: number, gain: number, rows: number, width: number): void;
  embed(hidden: number, embedding: number, tokens: number, count: number, width: number): void;
  turnAndKeep(
    projected: number,
    places: number,
    positions: number,
    cosine: number,
    sine: number,
    keys: number,
    values: number,
    count: number,
    width: number,
    heads: number,
  ): void;
  attend(
    mixed: number,
    projected: number,
    places: number,
    positions: number,
    keys: number,
    values: number,
    scores: number,
    count: number,
    width: number,
    heads: number,
  ): void;
  draw(logits: number, weights: number, found: number, count: number, factor: number, uniform: number): number;
  mostProbable(logits: number, count: number): number;
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
