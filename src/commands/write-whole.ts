import { rmSync, statSync, writeFileSync } from "node:fs";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import { writeWholeFile } from "../core/whole-file.ts";

/**
 * Writes a file that the command line named, so that a reader never sees half of it.
 * @throws {InputError} where that place cannot be written.
 * @throws {FaradayError} where the disk is full: the place is right, and another time it can be.
 */
export function writeWhole(file: string, text: string): void {
  try {
    writeWholeFile(file, text);
  } catch (error) {
    const cause = error instanceof FaradayError ? error.cause : error;
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") throw error;
    throw new InputError(`${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Makes sure that a file can be written later, after long work; what stands there now stays as it is.
 * @throws {InputError} where it cannot.
 */
export function mustBeWritable(file: string): void {
  const beside = `${file}.partial`;
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) throw new Error("it is a folder");
    writeFileSync(beside, "");
    rmSync(beside);
  } catch (error) {
    throw new InputError(`${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
