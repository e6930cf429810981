import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { FaradayError, messageOf } from "../core/errors.ts";
import { cannotWrite, writeWholeFile } from "../core/whole-file.ts";
import type { LearnerState } from "./learn.ts";

/** All that a run needs to go on after an iteration, besides its config and what is stored. */
export interface RunState {
  readonly run: string;
  /** Counts from 1. */
  readonly iteration: number;
  /** The signed tree that the iteration's own batch was appended to. */
  readonly tree: { readonly origin: string; readonly size: number; readonly root: string };
  /** SHA-256 of the tasks that the iteration was planned from. */
  readonly tasks: string;
  /** How long the run had taken, over all its processes. */
  readonly wallSeconds: number;
  readonly learner: LearnerState;
  /** Workers that the episodes of each task had ended. */
  readonly taskFaults: Readonly<Record<string, number>>;
  /** Policies before the learner's that batches to come are sampled from, the newest last; with `train.async` alone. */
  readonly policies: readonly Float32Array[];
}

const header = z.strictObject({
  format: z.literal("faraday-state-1"),
  run: z.string(),
  iteration: z.int().min(1),
  tree: z.strictObject({ origin: z.string(), size: z.int(), root: z.string() }),
  tasks: z.string(),
  wallSeconds: z.number().min(0),
  parameters: z.int().min(0),
  stepCount: z.int().min(0),
  policies: z.int().min(0).default(0),
  others: z.record(z.string(), z.base64()),
  taskFaults: z.record(z.string(), z.int().min(0)).default({}),
});

/**
 * `state/` of a run directory: one file an iteration. A file is its own SHA-256, a line of JSON, and the weights, Adam's two
 * moments and the policies before as float32 in this machine's order of bytes.
 */
export class StateFolder {
  readonly #path: string;

  constructor(directory: string) {
    this.#path = join(directory, "state");
  }

  /**
   * When this returns, the state is on disk; before, there is none of that iteration, or the one before it.
   * @throws {FaradayError} where it cannot be written.
   */
  write(state: RunState): void {
    try {
      // Not with what is above it: a run directory that was removed stays removed.
      if (!existsSync(this.#path)) mkdirSync(this.#path);
    } catch (error) {
      throw cannotWrite(this.#path, error);
    }
    writeWholeFile(this.#file(state.iteration), encode(state));
  }

  /** @throws {FaradayError} where there is none of that iteration, or it is damaged. */
  read(iteration: number): RunState {
    const path = this.#file(iteration);
    try {
      return decode(readFileSync(path));
    } catch (error) {
      throw new FaradayError(
        `cannot go on after iteration ${iteration} without its state ${path}: ${messageOf(error)}; bring the file back, or train anew`,
        { cause: error },
      );
    }
  }

  /** Removes the states of all other iterations, and with `null` every one. */
  keep(iteration: number | null): void {
    const kept = iteration === null ? null : this.#file(iteration);
    if (kept === null) rmSync(this.#path, { recursive: true, force: true });
    else
      for (const name of readdirSync(this.#path)) {
        if (join(this.#path, name) !== kept) rmSync(join(this.#path, name), { force: true });
      }
  }

  #file(iteration: number): string {
    return join(this.#path, `${iteration}.state`);
  }
}

function encode({ learner, policies, ...state }: RunState): Uint8Array[] {
  const { weights, first, second, stepCount, others } = learner;
  const rest = Object.entries(others).map(([name, values]) => [name, bytesOf(values).toString("base64")]);
  const head = {
    format: "faraday-state-1",
    ...state,
    parameters: weights.length,
    stepCount,
    policies: policies.length,
  };
  const line = `${JSON.stringify({ ...head, others: Object.fromEntries(rest) })}\n`;
  const parts = [Buffer.from(line), ...[weights, first, second, ...policies].map(bytesOf)];
  const digest = createHash("sha256");
  for (const part of parts) digest.update(part);
  return [digest.digest(), ...parts];
}

const digestBytes = 32;

function decode(bytes: Buffer): RunState {
  const digest = createHash("sha256").update(bytes.subarray(digestBytes)).digest();
  if (!digest.equals(bytes.subarray(0, digestBytes))) throw new Error("it is damaged: its SHA-256 is another");
  const end = bytes.indexOf("\n", digestBytes);
  const {
    format: _,
    parameters,
    stepCount,
    others,
    policies: policyCount,
    ...state
  } = header.parse(JSON.parse(bytes.toString("utf8", digestBytes, end)));
  const columns = Buffer.from(bytes.subarray(end + 1));
  const count = 3 + policyCount;
  if (columns.length !== count * 4 * parameters) throw new Error(`it must hold ${count} × ${parameters} numbers`);
  const [weights, first, second, ...policies] = Array.from({ length: count }, (_, part) => {
    const values = new Float32Array(parameters);
    new Uint8Array(values.buffer).set(columns.subarray(part * 4 * parameters, (part + 1) * 4 * parameters));
    return values;
  }) as [Float32Array, Float32Array, Float32Array, ...Float32Array[]];
  const rest = Object.entries(others).map(([name, base64]) => [name, doublesOf(Buffer.from(base64, "base64"))]);
  return { ...state, policies, learner: { weights, first, second, stepCount, others: Object.fromEntries(rest) } };
}

function doublesOf(bytes: Buffer): Float64Array {
  const values = new Float64Array(bytes.length / 8);
  new Uint8Array(values.buffer).set(bytes);
  return values;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
