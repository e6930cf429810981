import { existsSync, statSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import type { ExportOutput } from "./output.ts";

/** Writes beside the file and renames once all of it is on disk, so that whoever sees the file sees the whole. */
export class OutputFile implements ExportOutput {
  readonly #path: string;
  readonly #file: FileHandle;
  #open = true;
  #bytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** @throws {InputError} where there is something already that must not be replaced, or nothing can be written. */
  static async create(path: string, { force }: { readonly force: boolean }): Promise<OutputFile> {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      throw new InputError(`--out must name a file, got the folder ${path}`);
    }
    if (!force && existsSync(path)) throw new InputError(`${path} exists already; replace it with --force`);
    try {
      return new OutputFile(path, await open(partialOf(path), "w"));
    } catch (error) {
      throw new InputError(`cannot write ${path}: ${messageOf(error)}`, { cause: error });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  async write(bytes: string | Uint8Array): Promise<void> {
    const buffer = Buffer.from(bytes as Uint8Array);
    // writeFile goes on where the system takes a part of it alone.
    await this.#file.writeFile(buffer);
    this.#bytes += buffer.length;
  }

  async keep(): Promise<void> {
    await this.#file.sync();
    await this.#file.close();
    await rename(partialOf(this.#path), this.#path);
    this.#open = false;
    await syncFolder(dirname(this.#path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close().catch(() => {});
    await rm(partialOf(this.#path), { force: true });
  }
}

const partialOf = (path: string): string => `${path}.partial`;

/** So that the new name is on disk too; some systems cannot, and it is no less renamed then. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await using handle = await open(folder, "r");
    await handle.sync();
  } catch {
    return;
  }
}
