import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import { cannotWrite, writeWholeFile } from "../core/whole-file.ts";
import { mendCheckpoints } from "../model/checkpoint.ts";
import type { RunEvent } from "./events.ts";
import { makeFolder, removeFolders } from "./make-folder.ts";
import { lockName, RunLock } from "./run-lock.ts";

/** One run's folder, held by one process: `config.json`, `events.jsonl`, `checkpoints/`, `report.json` and the store. */
export class RunDirectory implements Disposable {
  readonly path: string;
  /** Name of the run: the folder's own. */
  readonly run: string;
  /** Folders that had to be made for it. */
  readonly #made: readonly string[];
  readonly #lock: RunLock;

  private constructor(path: string, lock: RunLock, made: readonly string[] = []) {
    this.path = path;
    this.#lock = lock;
    this.#made = made;
    this.run = path.split(/[\\/]/).at(-1) ?? path;
  }

  /**
   * Makes the folder, or takes an empty one.
   * @throws {InputError} where it holds another run, is in use, or cannot be written.
   */
  static create(path: string): RunDirectory {
    const folder = resolve(path);
    let made: readonly string[];
    let present: readonly string[];
    try {
      made = makeFolder(folder);
      present = readdirSync(folder);
    } catch (error) {
      throw new InputError(`cannot make the run directory ${folder}: ${messageOf(error)}; name another with --out`);
    }
    if (present.length > 0) {
      const reason = present.includes(lockName)
        ? "a run is using it, or was killed in it (then go on with --resume)"
        : `it holds ${present.slice(0, 3).join(", ")}`;
      throw new InputError(`the run directory must be new or empty, got ${folder}: ${reason}; name another with --out`);
    }
    try {
      return new RunDirectory(folder, RunLock.create(folder), made);
    } catch (error) {
      removeFolders(made);
      throw new InputError(`cannot write in the run directory ${folder}: ${messageOf(error)}; name another with --out`);
    }
  }

  /**
   * Takes up a run's folder, also from a process that was killed in it.
   * @throws {InputError} where it is no run's, or its run goes on.
   */
  static resume(path: string): RunDirectory {
    const folder = runFolder(path);
    try {
      return new RunDirectory(folder, RunLock.takeOver(folder)).#repaired();
    } catch (error) {
      if (error instanceof InputError) throw error;
      throw new InputError(`cannot write in the run directory ${folder}: ${messageOf(error)}`);
    }
  }

  /** Of checkpoints, the one before is put back where a kill came between it and the next; a line of events that was cut is ended. */
  #repaired(): this {
    mendCheckpoints(this.file("checkpoints"));
    const events = this.file("events.jsonl");
    if (existsSync(events) && !endsInLineFeed(events)) appendFileSync(events, "\n");
    return this;
  }

  /** Leaves things as they were before {@link create}. */
  discard(): void {
    for (const name of readdirSync(this.path)) rmSync(this.file(name), { recursive: true, force: true });
    removeFolders(this.#made);
  }

  /** @throws {FaradayError} where there is no place for it. */
  checkpoint(iteration: number | "best"): string {
    const folder = join(this.path, "checkpoints");
    try {
      if (!existsSync(folder)) mkdirSync(folder);
    } catch (error) {
      throw cannotWrite(folder, error);
    }
    return join(folder, String(iteration));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  writeJson(name: string, value: unknown): void {
    this.writeText(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** See {@link writeWholeFile}. */
  writeText(name: string, text: string): void {
    writeWholeFile(this.file(name), text);
  }

  remove(name: string): void {
    rmSync(this.file(name), { force: true });
  }

  /** @throws {FaradayError} where it cannot be written. */
  appendEvent(event: RunEvent): void {
    const path = this.file("events.jsonl");
    try {
      appendFileSync(path, `${JSON.stringify({ at: new Date().toISOString(), ...event })}\n`);
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/** Or is empty. Of a long run's events no more than the end is read. */
function endsInLineFeed(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const last = Buffer.alloc(1);
    return size === 0 || (readSync(file, last, { position: size - 1 }) === 1 && last[0] === 0x0a);
  } finally {
    closeSync(file);
  }
}

/**
 * The absolute path of a folder that a run was begun in.
 * @throws {InputError} where it is none.
 */
export function runFolder(path: string): string {
  const folder = resolve(path);
  if (existsSync(join(folder, "config.json"))) return folder;
  const reason = existsSync(folder) ? "it has no config.json, so that no run was begun in it" : "it does not exist";
  throw new InputError(`--resume needs a run directory, got ${folder}: ${reason}`);
}

/** `runs/<UTC time>-seed<N>`, with a number behind it where that is taken. */
export function defaultRunDirectory(seed: number): string {
  const time = new Date()
    .toISOString()
    .replace(/\.\d+Z$/u, "Z")
    .replaceAll(/[-:]/gu, "");
  const name = join("runs", `${time}-seed${seed}`);
  for (let count = 2; existsSync(name); count++) {
    if (!existsSync(`${name}-${count}`)) return `${name}-${count}`;
  }
  return name;
}
