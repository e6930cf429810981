import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { RecordedUpdate } from "../../audit/verify-log.ts";
import { InputError } from "../../core/errors.ts";
import { type Checkpoint, loadCheckpoint } from "../../model/checkpoint.ts";
import type { StoredCheckpoint } from "../../store/lightning-store.ts";
import { weightsDigest } from "../weights-digest.ts";
import type { OnFinding, RunFinding } from "./run-finding.ts";

/** What the provenance of weights says of the audit log. */
const provenanceSchema = z.object({
  run: z.string(),
  iteration: z.int(),
  sha256: z.string(),
  tree: z.strictObject({ origin: z.string(), size: z.int(), root: z.string() }),
});

export interface SignedUpdates {
  readonly run: string;
  readonly origin: string | null;
  readonly updates: readonly RecordedUpdate[];
  readonly checkpoints: readonly StoredCheckpoint[];
}

/**
 * Checks every weights checkpoint of a run directory: that it names a signed tree with its update in it, and that its values hash to
 * that update.
 * @returns How many there are.
 */
export function checkWeights(directory: string, log: SignedUpdates, onFinding: OnFinding): number {
  const folder = join(directory, "checkpoints");
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+$/.test(name)) : [];
  for (const name of names.sort((one, other) => Number(one) - Number(other))) {
    const iteration = Number(name);
    for (const { code, message } of faultsOf(join(folder, name), iteration, log)) {
      onFinding({ code, message: `checkpoints/${name}: ${message}`, iteration });
    }
  }
  return names.length;
}

function* faultsOf(
  folder: string,
  iteration: number,
  log: SignedUpdates,
): Generator<Pick<RunFinding, "code" | "message">> {
  const checkpoint = readCheckpoint(folder);
  if (typeof checkpoint === "string") {
    yield { code: "weights-changed", message: `cannot be read: ${checkpoint}` };
    return;
  }
  const update = log.updates.find((each) => each.iteration === iteration);
  if (update === undefined) {
    yield { code: "weights-changed", message: `the log records no update of iteration ${iteration}` };
    return;
  }
  const sha256 = weightsDigest(checkpoint.weights);
  if (sha256 !== update.weights) {
    const message = `the weights hash to ${sha256}, the update of iteration ${iteration} recorded ${update.weights}`;
    yield { code: "weights-changed", message };
  }
  const fault = provenanceFault(checkpoint.provenance, { iteration, update, log });
  if (fault !== null) yield { code: "weights-tree", message: fault };
}

function readCheckpoint(folder: string): Checkpoint | string {
  try {
    return loadCheckpoint(folder);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

function provenanceFault(
  provenance: unknown,
  { iteration, update, log }: { iteration: number; update: RecordedUpdate; log: SignedUpdates },
): string | null {
  const parsed = provenanceSchema.safeParse(provenance);
  if (!parsed.success) return "config.json names no signed tree in its provenance (run, iteration, sha256, tree)";
  const { tree, run, sha256, iteration: named } = parsed.data;
  if (run !== log.run || named !== iteration) return `config.json says run ${run}, iteration ${named}`;
  if (sha256 !== update.weights)
    return `config.json says the weights hash to ${sha256}, recorded was ${update.weights}`;
  if (log.origin !== null && tree.origin !== log.origin)
    return `config.json names the log ${tree.origin}, this one is ${log.origin}`;
  const signed = log.checkpoints.find(({ size }) => size === tree.size);
  if (signed === undefined) return `config.json names a tree of ${tree.size} records, which was never signed`;
  if (signed.root !== tree.root)
    return `config.json names root ${tree.root} at size ${tree.size}, signed was ${signed.root}`;
  if (tree.size < update.size) {
    return `config.json names a tree of ${tree.size} records, the update is recorded at ${update.size}`;
  }
  return null;
}
