import { InputError } from "../core/errors.ts";
import { openMaintenance } from "../store/open.ts";
import type { CommandResult, Invocation } from "./command.ts";
import { integerOption } from "./option-values.ts";

/** Opening brings the schema up to date. */
export async function migrateStore(invocation: Invocation): Promise<CommandResult> {
  await using store = await openMaintenance(storeUrlOf(invocation), existing);
  const { schemaVersion } = await store.stats();
  return { json: { schemaVersion }, text: `The store has schema version ${schemaVersion}, the newest.\n` };
}

export async function showStats(invocation: Invocation): Promise<CommandResult> {
  await using store = await openMaintenance(storeUrlOf(invocation), existing);
  const stats = await store.stats();
  const width = Math.max(...Object.keys(stats).map(({ length }) => length));
  const lines = Object.entries(stats).map(([name, count]) => `${name.padEnd(width)}  ${count}\n`);
  return { json: stats, text: lines.join("") };
}

export async function pruneStore(invocation: Invocation): Promise<CommandResult> {
  const keep = integerOption(invocation, "keep", { min: 0, max: 1_000_000 });
  if (keep === undefined) throw new InputError("faraday store prune needs --keep N: how many runs are to stay");
  await using store = await openMaintenance(storeUrlOf(invocation), existing);
  const removed = await store.prune(keep);
  const list = removed.map((id) => `  ${id}\n`).join("");
  const text = `${removed.length} runs were deleted${removed.length === 0 ? "" : "; faraday store vacuum gives their space back"}.\n${list}`;
  return { json: { removed }, text };
}

export async function vacuumStore(invocation: Invocation): Promise<CommandResult> {
  await using store = await openMaintenance(storeUrlOf(invocation), existing);
  const { before, after } = await store.vacuum();
  return { json: { before, after }, text: `${before} bytes before, ${after} bytes after.\n` };
}

export async function copyStore(invocation: Invocation): Promise<CommandResult> {
  const [, from, to] = invocation.positionals;
  if (from === undefined || to === undefined)
    throw new InputError("faraday store copy needs FROM and TO, two store URLs");
  if (from === to) throw new InputError(`faraday store copy needs two stores, got one twice: ${from}`);
  await using source = await openMaintenance(from, existing);
  await using target = await openMaintenance(to, { baseDir: process.cwd() });
  const rows = await source.copyTo(target);
  return { json: { rows }, text: `${rows} rows were copied.\n` };
}

const existing = { baseDir: process.cwd(), mustExist: true };

function storeUrlOf(invocation: Invocation): string {
  const [action, named, extra] = invocation.positionals;
  if (extra !== undefined) throw new InputError(`faraday store ${action} takes one store, got ${extra} besides`);
  return named ?? invocation.value("store") ?? "sqlite:faraday.db";
}
