import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError, messageOf } from "../core/errors.ts";

/** A module of the user's that takes part in judging. Its source is part of the policy set's hash; what it imports is not. */
export class UserModule {
  readonly file: string;
  /** SHA-256 of the source, as hexadecimal digits. */
  readonly sha256: string;
  readonly #name: string;

  /**
   * Reads the source; nothing runs yet.
   * @param name Key of the config that names the module, for messages.
   * @throws {InputError} when it cannot be read.
   */
  constructor(file: string, name: string) {
    this.file = resolve(file);
    this.#name = name;
    this.sha256 = this.#digest();
    Object.freeze(this);
  }

  /**
   * Runs the module and gives its default export, which must be a function.
   * @throws {InputError} when it cannot be run, exports no function, or has changed since it was read.
   */
  async load(): Promise<(...given: readonly unknown[]) => unknown> {
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(this.file).href).catch((error) => {
      throw new InputError(`${this.#name} ${this.file} could not be loaded: ${messageOf(error)}`, { cause: error });
    });
    if (this.#digest() !== this.sha256) throw new InputError(`${this.#name} ${this.file} changed while it was loaded`);
    if (typeof loaded.default === "function") return loaded.default as (...given: readonly unknown[]) => unknown;
    throw new InputError(`${this.#name} ${this.file} must export a function by default, got ${typeof loaded.default}`);
  }

  #digest(): string {
    try {
      return hash("sha256", readFileSync(this.file), "hex");
    } catch (error) {
      throw new InputError(`${this.#name} must be a file that can be read, got ${this.file}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}
