import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder with these files in it. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "faraday-test-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

/** An environment module with one bounded option and one path, that never starts. */
export const environmentModule = `
import { z } from "${import.meta.resolve("zod")}";
export default {
  name: "tiny",
  options: z.strictObject({ size: z.int().min(1).max(9).default(3), file: z.string().optional() }),
  load() { throw new Error("never loaded here"); },
};
`;
