import { resolve } from "node:path";
import { publicPem } from "../audit/audit-key.ts";
import { proveEpisode } from "../audit/episode-proof.ts";
import { formatVkey } from "../audit/note-key.ts";
import { FaradayError, InputError } from "../core/errors.ts";
import type { LightningStore } from "../store/lightning-store.ts";
import { showAudit } from "./audit-show.ts";
import { openAuditSource, publicKeyOf } from "./audit-source.ts";
import { verifyAudit } from "./audit-verify.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { writeWhole } from "./write-whole.ts";

export const audit: Command = {
  usage: [
    "audit verify <run> [--key FILE]",
    "audit verify --proof FILE --key FILE",
    "audit show <run> [--episode ID] [--rule R] [--severity S] [--worker N] [--phase P] [--iteration N] [--time FROM..TO] [--kind K]",
    "audit prove <run> <episode> --out FILE",
    "audit key [<run>] [--key FILE] [--out FILE]",
  ],
  description: `<run> is a run directory, or a store (sqlite:faraday.db) with --run ID.

verify recomputes everything from the stored bytes: records, chains, tree, signatures, and the rows, spans, weights and report beside
them. It says what is wrong and where, and ends with exit code 1. With --proof it checks a proof and needs no store.
show prints records, one a line, in the order of the tree: leaf, worker.epoch:sequence, batch, episode, what happened. Records have no
clock, so that the same seed gives the same bytes: --time is that of storing their batch.
prove writes what the log holds of an episode, with its inclusion in the last signed tree.
key prints the key that checks a run's log (C2SP vkey), without a run as PEM; --out writes it as PEM. The private key stays where it is.`,
  positionals: { min: 1, max: 3, names: ["verify|show|prove|key", "<run>", "<episode>"] },
  options: {
    key: { value: "FILE", summary: "Key to check with: PEM or vkey; a private one will do", default: "the user's own" },
    run: { value: "ID", summary: "Which run of the store", default: "the directory's name, or the only one" },
    proof: { value: "FILE", summary: "verify: an episode's proof instead of a run" },
    out: { value: "FILE", summary: "prove: where the proof goes; key: where the PEM goes" },
    episode: { value: "ID", summary: "show: records of this episode" },
    rule: { value: "R", summary: "show: outcomes that broke this rule" },
    severity: { value: "S", summary: "show: outcomes with a violation of this severity" },
    worker: { value: "N", summary: "show: records of this worker; 0 is the main process" },
    phase: { value: "P", summary: "show: train, ungoverned, before, after" },
    iteration: { value: "N", summary: "show: records that were stored with this iteration" },
    time: { value: "FROM..TO", summary: "show: records of batches stored then; either side may be empty" },
    kind: { value: "K", summary: "show: start, intent, outcome, signal, end, batch or update" },
    limit: { value: "N", summary: "show: at most so many", default: "1000" },
  },
  examples: [
    "faraday audit verify runs/second",
    "faraday audit show runs/second --severity critical --phase train",
    "faraday audit show runs/second --episode train-3-0-5 --json",
    "faraday audit prove runs/second train-3-0-5 --out proof.json",
    "faraday audit key runs/second --out audit-public.pem",
    "faraday audit verify --proof proof.json --key audit-public.pem",
  ],
  run: runAudit,
};

const actions: Readonly<Record<string, (invocation: Invocation) => Promise<CommandResult>>> = {
  verify: verifyAudit,
  show: showAudit,
  prove: proveAudit,
  key: showKey,
};

async function runAudit(invocation: Invocation): Promise<CommandResult> {
  const [name = "", , extra] = invocation.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    const known = Object.keys(actions).join(", ");
    throw new InputError(`faraday audit has no action ${JSON.stringify(name)}; it has ${known}`);
  }
  if (extra !== undefined && name !== "prove") {
    throw new InputError(`faraday audit ${name} takes <run> alone, got ${JSON.stringify(extra)} besides`);
  }
  return await action(invocation);
}

async function proveAudit(invocation: Invocation): Promise<CommandResult> {
  const [, , episode] = invocation.positionals;
  const out = invocation.value("out");
  if (episode === undefined) throw new InputError("faraday audit prove needs <run> and <episode>");
  if (out === undefined) throw new InputError("faraday audit prove needs --out FILE");
  await using source = await openAuditSource(invocation);
  const { store, run } = source;
  const checkpoint = (await store.checkpoints(run.id)).at(-1);
  if (checkpoint === undefined) throw new FaradayError(`run ${run.id} has no signed tree to prove anything in`);
  const proof = proveEpisode(episode, {
    ...{ run: run.id, checkpoint: checkpoint.note },
    segments: await segmentsOf(store, run.id),
  });
  writeWhole(out, `${JSON.stringify(proof)}\n`);
  const { length } = proof.records;
  return {
    json: { run: run.id, episode, file: resolve(out), records: length, size: checkpoint.size, root: checkpoint.root },
    text: `${length} records of episode ${episode}, proven in the tree of size ${checkpoint.size}: ${out}\n`,
  };
}

async function segmentsOf(store: LightningStore, run: string) {
  const segments = [];
  for await (const segment of store.auditTree(run)) segments.push(segment);
  return segments;
}

/** The name of a verifier key is that of the log, which is the run's own. */
async function showKey(invocation: Invocation): Promise<CommandResult> {
  const { publicKey } = publicKeyOf(invocation);
  const pem = publicPem(publicKey);
  const vkey = invocation.positionals[1] === undefined ? null : formatVkey(await originOf(invocation), publicKey);
  const out = invocation.value("out");
  if (out !== undefined) writeWhole(out, pem);
  return {
    json: { vkey, pem, ...(out === undefined ? {} : { file: resolve(out) }) },
    text: vkey === null ? pem : `${vkey}\n`,
  };
}

async function originOf(invocation: Invocation): Promise<string> {
  await using source = await openAuditSource(invocation);
  const [checkpoint] = await source.store.checkpoints(source.run.id);
  if (checkpoint === undefined)
    throw new FaradayError(`run ${source.run.id} has no signed tree, so that its log has no name`);
  return checkpoint.note.split("\n", 1)[0] ?? "";
}
