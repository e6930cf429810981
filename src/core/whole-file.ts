import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { FaradayError, messageOf } from "./errors.ts";

/**
 * Writes a file that is found whole or not at all, also after a power cut: beside it, to the disk, and only then by its name.
 * @throws {FaradayError} naming the file, which is what it was before.
 */
export function writeWholeFile(path: string, content: string | readonly Uint8Array[]): void {
  const partial = `${path}.partial`;
  try {
    writeSynced(partial, typeof content === "string" ? [Buffer.from(content)] : content);
    renameSync(partial, path);
    syncFolder(dirname(path));
  } catch (error) {
    removeQuietly(partial);
    throw cannotWrite(path, error);
  }
}

/** The file system's own error, with the file that it keeps from its readers: most of them name none. */
export function cannotWrite(path: string, cause: unknown): FaradayError {
  return new FaradayError(`cannot write ${path}: ${messageOf(cause)}`, { cause });
}

/** Makes new names in a folder survive a power cut, where the platform lets a folder be opened. */
export function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function writeSynced(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, "w");
  try {
    for (const part of parts) writeAll(file, part);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The system may take a part of it alone. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let position = 0; position < bytes.length; ) position += writeSync(file, bytes, position);
}

/** What cannot be removed either is found, and passed over, by whoever writes the file next. */
function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    return;
  }
}
