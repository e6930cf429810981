import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../core/errors.ts";

/** In a run directory while a process trains there: its process id, and where it is known when that process began. */
export const lockName = "run.lock";

/** Locks that this very process holds: after a restart of a container, another process may have had the same id. */
const held = new Set<string>();

/** That one process alone trains in a run directory. */
export class RunLock implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
    held.add(path);
  }

  /** @throws {Error} the file system's own, `EEXIST` where there is a lock, whoever holds it. */
  static create(folder: string): RunLock {
    const path = join(folder, lockName);
    writeMark(path);
    return new RunLock(path);
  }

  /**
   * Takes the lock, also from a process that has died with it. Of several that try at once at most one succeeds: each claims before
   * it looks for others.
   * @throws {InputError} where a process that lives has it, or is about to.
   */
  static takeOver(folder: string): RunLock {
    const path = join(folder, lockName);
    const claim = `${lockName}.${randomUUID()}`;
    writeMark(join(folder, claim));
    held.add(join(folder, claim));
    try {
      const claims = readdirSync(folder).filter((name) => name.startsWith(`${lockName}.`) && name !== claim);
      // The lock itself last: a claim that has just become the lock is seen as the one or as the other.
      for (const name of [...claims, lockName]) refuseHeld(folder, name);
      renameSync(join(folder, claim), path);
      for (const name of claims) rmSync(join(folder, name), { force: true });
      return new RunLock(path);
    } catch (error) {
      rmSync(join(folder, claim), { force: true });
      throw error;
    } finally {
      held.delete(join(folder, claim));
    }
  }

  [Symbol.dispose](): void {
    held.delete(this.#path);
    removeMark(this.#path);
  }
}

/** Leaves none that is not whole. */
function writeMark(path: string): void {
  try {
    writeFileSync(path, ownMark(), { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") removeMark(path);
    throw error;
  }
}

/** What cannot be removed is the lock of a process that is not there, which the next one takes. */
function removeMark(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}

/** The id of the process that lives and holds a lock; `null` where there is none. */
export function holderOf(path: string): number | null {
  let mark: string;
  try {
    mark = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const [pid = Number.NaN, began] = mark.split("\n").filter(Boolean).map(Number);
  if (pid === process.pid && began !== undefined) return held.has(path) ? pid : null;
  const now = startOf(pid);
  return lives(pid) && (began === undefined || now === undefined || began === now) ? pid : null;
}

function refuseHeld(folder: string, name: string): void {
  const holder = holderOf(join(folder, name));
  if (holder === null) return;
  throw new InputError(
    `the run in ${folder} goes on in process ${holder}; end that first, or remove ${join(folder, name)} if it is no training`,
  );
}

function ownMark(): string {
  const began = startOf(process.pid);
  return `${process.pid}\n${began === undefined ? "" : `${began}\n`}`;
}

function lives(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** When a process began, in clock ticks since the machine did (field 22 of proc(5)'s stat); `undefined` where nobody says. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined;
  }
}
