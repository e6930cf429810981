import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type AuditPublicKey, auditKeyPath, loadAuditPublicKey } from "../audit/audit-key.ts";
import { InputError } from "../core/errors.ts";
import type { Invocation } from "./command.ts";
import { openRunSource, type RunSource } from "./run-source.ts";

/**
 * Opens what the command line names: a run directory, or a store by its URL.
 * @throws {InputError} where there is no such run.
 */
export async function openAuditSource(invocation: Invocation): Promise<RunSource> {
  const named = invocation.positionals[1];
  if (named === undefined) {
    throw new InputError(`faraday audit ${invocation.positionals[0]} needs <run>; see faraday audit --help`);
  }
  return await openRunSource(named, { command: "audit", run: invocation.value("run") });
}

/**
 * The key that checks. What the run itself says of its key is not asked: whoever rewrites a log can sign it with a key of
 * their own, and name that.
 * @throws {InputError} where there is none.
 */
export function publicKeyOf(invocation: Invocation): AuditPublicKey {
  const named = invocation.value("key");
  if (named !== undefined) return loadAuditPublicKey(resolve(named));
  const own = auditKeyPath();
  if (!existsSync(own)) {
    throw new InputError(`there is no key to check with: ${own} does not exist; name the run's key with --key FILE`);
  }
  return loadAuditPublicKey(own);
}
