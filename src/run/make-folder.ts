import { existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it that are missing, one by one: `mkdirSync` with `recursive` never returns under /proc (Node 26).
 * Leaves none where one fails.
 * @returns What was made, the deepest last.
 * @throws {Error} the file system's own.
 */
export function makeFolder(folder: string): readonly string[] {
  const missing: string[] = [];
  for (let place = folder; !existsSync(place); place = dirname(place)) missing.unshift(place);
  const made: string[] = [];
  try {
    for (const place of missing) if (makeOne(place)) made.push(place);
  } catch (error) {
    removeFolders(made);
    throw error;
  }
  return made;
}

/** Removes folders that {@link makeFolder} made, as far as nobody has put anything into them. */
export function removeFolders(made: readonly string[]): void {
  for (const place of made.toReversed()) {
    try {
      rmdirSync(place);
    } catch {
      return;
    }
  }
}

/** Whether it was made here: another process may be making the same one. */
function makeOne(place: string): boolean {
  try {
    mkdirSync(place);
    return true;
  } catch (error) {
    if (statSync(place, { throwIfNoEntry: false })?.isDirectory()) return false;
    throw error;
  }
}
