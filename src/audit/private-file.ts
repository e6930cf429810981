import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { InputError, messageOf } from "../core/errors.ts";
import { syncFolder } from "../core/whole-file.ts";

/**
 * Writes a file that only its owner can read, whole or not at all, in a folder made for it where there is none.
 * @param mode `replace` overwrites; `create` leaves what is there, and says so.
 * @returns Whether the file is the one written here.
 * @throws {InputError} where the place cannot be written.
 */
export function writePrivateFile(path: string, text: string, mode: "create" | "replace"): boolean {
  const folder = dirname(path);
  const temporary = join(folder, `.${randomBytes(8).toString("hex")}.tmp`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeSynced(temporary, text);
    try {
      if (mode === "replace") renameSync(temporary, path);
      else return linked(temporary, path, text);
      return true;
    } finally {
      rmSync(temporary, { force: true });
      syncFolder(folder);
    }
  } catch (error) {
    throw new InputError(
      `cannot write ${path}: ${messageOf(error)}. Make ${folder} writable, or set XDG_CONFIG_HOME to a folder that is`,
      { cause: error },
    );
  }
}

/** Of several processes at once, exactly one makes the name. */
function linked(temporary: string, path: string, text: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (code === "EEXIST") return false;
    // File systems without hard links.
    if (["EPERM", "ENOTSUP", "ENOSYS", "EOPNOTSUPP", "EMLINK"].includes(code)) return exclusively(path, text);
    throw error;
  }
}

function exclusively(path: string, text: string): boolean {
  try {
    writeSynced(path, text);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function writeSynced(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
