import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { configFolder, type UserPlace } from "./config-folder.ts";
import { isHash } from "./node-hash.ts";
import { writePrivateFile } from "./private-file.ts";

/** The greatest tree that was ever seen of a run's log at a place. */
export interface KnownHead extends Checkpoint {
  /** Absolute path or URL of the store. */
  readonly place: string;
  readonly run: string;
}

/**
 * What was last seen of each log, kept outside the stores: a store that is put back to an older state is consistent in itself, and
 * only its smaller size betrays it. One small file a log, readable by its owner alone.
 */
export class KnownHeads {
  readonly #folder: string;

  /** @param folder `heads` in the user's config folder where none is named. */
  constructor({ folder, place }: { readonly folder?: string; readonly place?: UserPlace } = {}) {
    this.#folder = folder ?? join(configFolder(place), "heads");
  }

  /**
   * The head that was last kept, or `null`.
   * @throws {InputError} when the file cannot be read or is not a head.
   */
  get(key: { readonly place: string; readonly run: string }): KnownHead | null {
    const path = this.path(key);
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw new InputError(`cannot read ${path}: ${messageOf(error)}; its user must be able to`, { cause: error });
    }
    return parseHead(text, key, path);
  }

  /**
   * Keeps a head that continues the one known: nothing changes where the known tree is as large or larger. Keeps the first one too.
   * @throws {FaradayError} when another log is known at this place, or another root at this size.
   */
  advance(head: KnownHead): KnownHead {
    const known = this.get(head);
    if (known !== null) {
      if (known.origin !== head.origin) {
        throw new FaradayError(`${describe(head)} is known as the log ${known.origin}, got ${head.origin}`);
      }
      if (known.size === head.size && known.root !== head.root) {
        throw new FaradayError(`${describe(head)} had root ${known.root} at size ${known.size}, got ${head.root}`);
      }
      if (known.size >= head.size) return known;
    }
    return this.begin(head);
  }

  /** Keeps the head of a log that is new at this place, whatever was known there. */
  begin({ place, run, origin, size, root }: KnownHead): KnownHead {
    const head = { place, run, origin, size, root };
    writePrivateFile(this.path(head), `${JSON.stringify(head, null, 2)}\n`, "replace");
    return head;
  }

  /** Where the head of a log is kept. */
  path({ place, run }: { readonly place: string; readonly run: string }): string {
    return join(this.#folder, `${hash("sha256", `${place}\0${run}`, "hex").slice(0, 32)}.json`);
  }
}

function describe({ place, run }: KnownHead): string {
  return `run ${run} in ${place}`;
}

function parseHead(text: string, key: { readonly place: string; readonly run: string }, path: string): KnownHead {
  try {
    const { place, run, origin, size, root } = JSON.parse(text) as Record<keyof KnownHead, unknown>;
    const same = place === key.place && run === key.run;
    if (same && typeof origin === "string" && Number.isSafeInteger(size) && (size as number) >= 0 && isHash(root)) {
      return { ...key, origin, size: size as number, root };
    }
  } catch {
    // Said below, with what it should have been.
  }
  throw new InputError(
    `${path} must hold the last known head of run ${key.run} in ${key.place}, got ${JSON.stringify(text.slice(0, 100))}; where it was damaged, remove it and check the log against a copy of the head`,
  );
}
