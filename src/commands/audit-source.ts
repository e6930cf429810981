import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { type AuditPublicKey, auditKeyPath, loadAuditPublicKey } from "../audit/audit-key.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import type { LightningStore, StoredRun } from "../store/lightning-store.ts";
import { openStore, storePlace } from "../store/open.ts";
import type { Invocation } from "./command.ts";

/** A run whose audit log is looked at. */
export interface AuditSource extends AsyncDisposable {
  readonly store: LightningStore;
  readonly run: StoredRun;
  /** The run directory, absolute; `null` where a store was named. */
  readonly directory: string | null;
  /** What names the store outside of it. */
  readonly place: string;
}

/**
 * Opens what the command line names: a run directory, or a store by its URL.
 * @throws {InputError} where there is no such run.
 */
export async function openAuditSource(invocation: Invocation): Promise<AuditSource> {
  const named = invocation.positionals[1];
  if (named === undefined) {
    throw new InputError(`faraday audit ${invocation.positionals[0]} needs <run>; see faraday audit --help`);
  }
  const isStore = /^[a-z]+:/.test(named) && !existsSync(named);
  const directory = isStore ? null : resolve(named);
  const url = directory === null ? named : storeUrlOf(directory);
  const baseDir = directory ?? process.cwd();
  const store = await openStore(url, { baseDir, mustExist: true });
  try {
    const wanted = invocation.value("run") ?? (directory === null ? undefined : basename(directory));
    const run = chooseRun(await store.runs(), wanted, invocation.value("run") !== undefined);
    return {
      ...{ store, run, directory, place: storePlace(url, { baseDir }) },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
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

/** Of the config, only where the store lies is needed; the rest may be broken by whoever broke the log. */
function storeUrlOf(directory: string): string {
  const file = join(directory, "config.json");
  if (!existsSync(file)) throw new InputError(`audit needs a run directory with config.json, got ${directory}`);
  try {
    const { store } = JSON.parse(readFileSync(file, "utf8")) as { readonly store?: unknown };
    if (typeof store === "string") return store;
  } catch (error) {
    throw new FaradayError(
      `${file} is not the config of a run: ${messageOf(error)}; name the store by its URL instead`,
    );
  }
  throw new FaradayError(`${file} must name the store, got none; name the store by its URL instead`);
}

function chooseRun(runs: readonly StoredRun[], wanted: string | undefined, strict: boolean): StoredRun {
  const found = runs.find(({ id }) => id === wanted);
  if (found !== undefined) return found;
  const [only, ...others] = runs;
  // A run directory may have been renamed or copied.
  if (only !== undefined && others.length === 0 && !strict) return only;
  const list = runs.length === 0 ? "no runs" : runs.map(({ id }) => id).join(", ");
  throw new InputError(`the store has ${list}; name one with --run ID${strict ? `, got ${wanted}` : ""}`);
}
