import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import type { LightningStore, StoredRun } from "../store/lightning-store.ts";
import { openStore, storePlace } from "../store/open.ts";

/** A run in a store, to read. */
export interface RunSource extends AsyncDisposable {
  readonly store: LightningStore;
  readonly run: StoredRun;
  /** The run directory, absolute; `null` where a store was named. */
  readonly directory: string | null;
  /** What names the store outside of it. */
  readonly place: string;
}

/**
 * Opens what a command line names: a run directory, or a store by its URL.
 * @throws {InputError} where there is no such run.
 */
export async function openRunSource(
  named: string,
  { command, run: wantedRun }: { readonly command: string; readonly run: string | undefined },
): Promise<RunSource> {
  const isStore = /^[a-z]+:/.test(named) && !existsSync(named);
  const directory = isStore ? null : resolve(named);
  const url = directory === null ? named : storeUrlOf(directory, command);
  const baseDir = directory ?? process.cwd();
  const store = await openStore(url, { baseDir, mustExist: true });
  try {
    const wanted = wantedRun ?? (directory === null ? undefined : basename(directory));
    const run = chooseRun(await store.runs(), wanted, wantedRun !== undefined);
    return {
      ...{ store, run, directory, place: storePlace(url, { baseDir }) },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** Of the config, only where the store lies is needed; the rest may be broken by whoever broke the log. */
function storeUrlOf(directory: string, command: string): string {
  const file = join(directory, "config.json");
  if (!existsSync(file)) throw new InputError(`${command} needs a run directory with config.json, got ${directory}`);
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
