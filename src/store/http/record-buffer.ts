import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { FaradayError, messageOf } from "../../core/errors.ts";
import type { RunMethod } from "./run-methods.ts";

/** A call whose answer is not known yet: its arguments as {@link toWire} has them. */
export interface BufferedCall {
  readonly method: RunMethod;
  readonly body: string;
}

const fileName = /^(\d{8})-(\w+)\.json$/;

/**
 * Calls that a store has not taken yet, in a folder: a file each, complete and synced before it has its name, in the order of their
 * numbers. What a process leaves there, the next one finds.
 */
export class RecordBuffer {
  readonly folder: string;
  readonly #bytesMax: number;
  #next = 1;
  /** Names and sizes, oldest first. */
  #files: { readonly name: string; readonly bytes: number }[] = [];

  constructor(folder: string, { bytesMax }: { readonly bytesMax: number }) {
    this.folder = folder;
    this.#bytesMax = bytesMax;
    this.#files = filesOf(folder);
    this.#next = 1 + Number(this.#files.at(-1)?.name.slice(0, 8) ?? 0);
  }

  get count(): number {
    return this.#files.length;
  }

  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Whether it may take so many bytes more; an empty one takes anything. */
  fits(bytes: number): boolean {
    return this.#files.length === 0 || this.bytes + bytes <= this.#bytesMax;
  }

  /** On disk when it returns. */
  append({ method, body }: BufferedCall): void {
    const name = `${String(this.#next).padStart(8, "0")}-${method}.json`;
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      writeSynced(join(this.folder, name), body);
    } catch (error) {
      throw new FaradayError(`${this.folder} cannot keep what the store has not: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#next++;
    this.#files.push({ name, bytes: Buffer.byteLength(body) });
  }

  /** The call that came first. */
  oldest(): BufferedCall | undefined {
    const [file] = this.#files;
    if (file === undefined) return undefined;
    const method = (fileName.exec(file.name)?.[2] ?? "") as RunMethod;
    return { method, body: readFileSync(join(this.folder, file.name), "utf8") };
  }

  /** The oldest is in the store. */
  remove(): void {
    const file = this.#files.shift();
    if (file !== undefined) rmSync(join(this.folder, file.name), { force: true });
  }

  /** The oldest can never be in the store; it is kept beside the others. */
  reject(): string {
    const file = this.#files.shift();
    const kept = join(this.folder, `rejected-${file?.name}`);
    renameSync(join(this.folder, String(file?.name)), kept);
    return kept;
  }
}

function filesOf(folder: string) {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => fileName.test(name))
    .toSorted()
    .map((name) => ({ name, bytes: statSync(join(folder, name)).size }));
}

function writeSynced(path: string, text: string): void {
  const part = `${path}.part`;
  const file = openSync(part, "w", 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(part, path);
  const folder = openSync(join(path, ".."), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
