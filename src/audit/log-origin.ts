import { hash, randomBytes } from "node:crypto";

const prefix = "faraday.invalid/";
const runCharactersMax = 100;

/** A new name for the log of a run: no two logs share one, not even of runs with the same id. `invalid` resolves nowhere (RFC 2606). */
export function newOrigin(run: string): string {
  return `${originPrefix(run)}${randomBytes(8).toString("hex")}`;
}

/** Whether a log of this name can be of this run. */
export function isOriginOf(origin: string, run: string): boolean {
  return origin.startsWith(originPrefix(run)) && /^[0-9a-f]{16}$/.test(origin.slice(originPrefix(run).length));
}

/** Different runs have different prefixes: names are escaped as in URLs, and long ones end with their hash. */
function originPrefix(run: string): string {
  const name = encodeURIComponent(run.toWellFormed());
  if (name.length <= runCharactersMax) return `${prefix}${name || "%00"}/`;
  return `${prefix}${name.slice(0, runCharactersMax)}~~${hash("sha256", run, "hex").slice(0, 32)}/`;
}
