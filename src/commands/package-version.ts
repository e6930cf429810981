import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** The version of this package, from the sources and from the compiled form alike. */
export function packageVersion(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error("the package has lost its package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  return version;
}
