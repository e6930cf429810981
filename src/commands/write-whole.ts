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
