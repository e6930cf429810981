import { hash } from "node:crypto";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Policy } from "./policy.ts";
import type { Resolver } from "./resolver.ts";

/** What decides besides the policies. */
export interface Deciders {
  readonly resolver?: { readonly sha256: string } | Resolver | null;
  /** What is sent to an episode after a blocked violation, by severity. */
  readonly signals?: Readonly<Record<string, unknown>>;
}

/**
 * SHA-256 over the canonical JSON of all that decides what an agent may do: 64 lower-case hexadecimal digits. Policies count in their
 * order, with their defaults and modes; modules count by their source wherever it lies, and a resolver that is a function by
 * its text.
 */
export function policySetHash(
  policies: readonly Pick<Policy, "spec" | "identity">[],
  { resolver = null, signals = {} }: Deciders = {},
): string {
  const decider =
    typeof resolver === "function"
      ? { function: hash("sha256", String(resolver), "hex") }
      : resolver && { sha256: resolver.sha256 };
  const judging = policies.map(({ spec, identity = spec }) => identity);
  return hash("sha256", canonicalJson({ policies: judging, resolver: decider, signals }), "hex");
}
