import { hash } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";

/** SHA-256 over the canonical JSON of resolved policy specs, in their order: 64 lower-case hexadecimal digits. */
export function policySetHash(specs: readonly Readonly<Record<string, unknown>>[]): string {
  return hash("sha256", canonicalJson(specs), "hex");
}
