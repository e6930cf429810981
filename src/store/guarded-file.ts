import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  openSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { FaradayError, messageOf } from "../core/errors.ts";

/**
 * Writes a file of mode 0600, following no symbolic link on the way, in a folder that others cannot write to (save a sticky one).
 * @throws {FaradayError} where the place is not safe, or cannot be written.
 */
export function writeGuarded(path: string, text: string, mode: "replace" | "append"): void {
  const place = safePlace(path);
  const flags = constants.O_WRONLY | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  let file: number | undefined;
  try {
    file = openSync(place, mode === "append" ? flags | constants.O_APPEND : flags, 0o600);
    refuseForeign(file, place);
    fchmodSync(file, 0o600);
    if (mode === "replace") ftruncateSync(file, 0);
    writeWhole(file, text);
    fsyncSync(file);
  } catch (error) {
    if (error instanceof FaradayError) throw error;
    const link = (error as NodeJS.ErrnoException).code === "ELOOP";
    throw new FaradayError(link ? linkMessage(place) : `${place} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** The path with its folder resolved, where no part of it is a link. */
function safePlace(path: string): string {
  const given = resolve(path);
  const folder = dirname(given);
  const real = realFolder(folder);
  if (real !== folder) {
    throw new FaradayError(`${folder} is reached through a symbolic link, which is not followed; give ${real} instead`);
  }
  const { mode } = statSync(folder);
  if (process.platform !== "win32" && (mode & 0o022) !== 0 && (mode & 0o1000) === 0) {
    throw new FaradayError(
      `${folder} can be written by others; spans are written to a folder of your own alone (chmod go-w)`,
    );
  }
  const place = join(folder, basename(given));
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new FaradayError(linkMessage(place));
  return place;
}

function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch (error) {
    throw new FaradayError(`the folder ${folder} must exist: ${messageOf(error)}`, { cause: error });
  }
}

/** An existing file of someone else, or with a second name elsewhere, is left alone. */
function refuseForeign(file: number, place: string): void {
  const { nlink, uid } = fstatSync(file);
  const foreign = process.getuid !== undefined && uid !== process.getuid();
  if (!fstatSync(file).isFile() || nlink !== 1 || foreign) {
    throw new FaradayError(`${place} must be a new file, or an ordinary one of your own with a single name`);
  }
}

function linkMessage(place: string): string {
  return `${place} is a symbolic link, which is not followed; give another name`;
}

function writeWhole(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
}
