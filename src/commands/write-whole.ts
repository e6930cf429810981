import { renameSync, writeFileSync } from "node:fs";
import { FaradayError, messageOf } from "../core/errors.ts";

/**
 * Writes a file that a reader never sees half of.
 * @throws {FaradayError} with exit code 2 where it cannot be written.
 */
export function writeWhole(file: string, text: string): void {
  try {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new FaradayError(`${file} cannot be written: ${messageOf(error)}`, { exitCode: 2, cause: error });
  }
}
