import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** What measurements depend on. */
const measured = ["@sqlite.org/sqlite-wasm", "p-queue", "piscina"];

/** Versions of this package and of those that its speed depends on, and of the SQLite that Node brings, by name. */
export function packageVersions(): Readonly<Record<string, string>> {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) throw new Error("the package has lost its package.json");
  const { name, version, dependencies } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly name: string;
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
  const pinned = measured.map((dependency) => [dependency, dependencies[dependency] ?? "none"]);
  return { [name]: version, ...Object.fromEntries(pinned), "node:sqlite": process.versions.sqlite ?? "none" };
}
