import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { KnownHeads } from "../audit/known-heads.ts";
import { formatVkey } from "../audit/note-key.ts";
import { type ProofVerification, verifyProof } from "../audit/verify-proof.ts";
import { FaradayError, InputError, messageOf } from "../core/errors.ts";
import type { RunFinding } from "../run/audit/run-finding.ts";
import type { RunVerification } from "../run/audit/verify-run.ts";
import { openAuditSource, publicKeyOf } from "./audit-source.ts";
import type { CommandResult, Invocation } from "./command.ts";
import type { RunSource } from "./run-source.ts";

/** Most findings that are said, one a line, and given as JSON. */
const findingsSaid = 30;
const findingsMax = 1000;

/** Recomputes a run's log and what is stored beside it. */
export async function verifyAudit(invocation: Invocation): Promise<CommandResult> {
  const proof = invocation.value("proof");
  if (proof !== undefined) return verifyProofFile(invocation, resolve(proof));
  const key = publicKeyOf(invocation);
  await using source = await openAuditSource(invocation);
  const { store, run, directory, place } = source;
  const heads = new KnownHeads();
  const knownHead = heads.get({ place, run: run.id });
  const { verifyRun } = await import("../run/audit/verify-run.ts");
  const verification = await verifyRun({ store, run, directory, key, knownHead, findingsMax });
  const { log, findings, findingCount } = verification;
  const empty = log.head === null && findingCount === 0;
  const clean = findingCount === 0 && !empty;
  const { head } = log;
  if (clean && head !== null) advance(heads, { place, run: run.id, ...head });
  const known = knownHead === null ? null : { size: knownHead.size, root: knownHead.root };
  const vkey = log.origin === null ? null : formatVkey(log.origin, key.publicKey);
  const { records, size, root, checkpoints, attempts, origin } = log;
  const { episodes, batches, spans, workers, weights } = verification;
  return {
    json: {
      ...{ run: run.id, status: run.status, ok: clean, findings, findingCount },
      ...{ records, episodes, attempts, batches, workers, spans, checkpoints, weights, size, root, origin },
      ...{ key: vkey, knownHead: known },
    },
    text: clean
      ? summary(source, verification, { vkey, known })
      : `${faults(source, findings, { findingCount, empty })}${keyHint(source, findings)}`,
    exitCode: clean ? 0 : 1,
  };
}

function advance(heads: KnownHeads, { place, run, origin, size, root }: Parameters<KnownHeads["advance"]>[0]): void {
  heads.advance({ place, run, origin, size, root });
}

function summary(
  { run, directory }: RunSource,
  { log, episodes, batches, workers, spans, weights }: RunVerification,
  { vkey, known }: { readonly vkey: string | null; readonly known: { readonly size: number } | null },
): string {
  const lines = [
    `Run ${run.id}${run.status === "succeeded" ? "" : ` (${run.status})`}: nothing was changed since it was signed.`,
    `  records      ${log.records} of ${workers} ${workers === 1 ? "worker" : "workers"} and the main process, in ${log.segments} segments`,
    `  episodes     ${episodes} in ${batches} batches, ${spans} spans`,
    `  checkpoints  ${log.checkpoints} signed trees${directory === null ? "" : `, ${weights} of weights`}`,
    `  root         ${log.root} at size ${log.size}`,
    `  key          ${vkey}`,
    known === null
      ? "No earlier size of this log was known here, so that a roll-back to an older state cannot be excluded; from now on it is."
      : `  known head   ${known.size}: no roll-back`,
  ];
  return `${lines.join("\n")}\n`;
}

function faults(
  { run }: RunSource,
  findings: readonly RunFinding[],
  { findingCount, empty }: { readonly findingCount: number; readonly empty: boolean },
): string {
  if (empty) return `Run ${run.id}: it has no signed tree, so that nothing can be verified.\n`;
  const said = findings
    .slice(0, findingsSaid)
    .map((finding) => `  ${finding.code}: ${finding.message}${place(finding)}`);
  const more = findingCount - said.length;
  const count = `${findingCount} ${findingCount === 1 ? "finding" : "findings"}`;
  return `Run ${run.id}: ${count}.\n${said.join("\n")}\n${more > 0 ? `  … and ${more} more\n` : ""}`;
}

/** The key that the run says it was signed with is never taken on its own word. */
function keyHint({ run }: RunSource, findings: readonly RunFinding[]): string {
  const { audit } = run.config as { readonly audit?: { readonly key?: unknown } };
  if (typeof audit?.key !== "string" || !findings.some(({ code }) => code === "checkpoint-key")) return "";
  return `The run's config names the key ${audit.key}; where you trust it, give it with --key.\n`;
}

/** What the message may not have said. */
function place({ worker, epoch, sequence, leaf, phase, iteration, episode }: RunFinding): string {
  const parts = [
    ...(worker === undefined ? [] : [`worker ${worker}${epoch === undefined ? "" : `.${epoch}`}`]),
    ...(sequence === undefined ? [] : [`record ${sequence}`]),
    ...(leaf === undefined ? [] : [`leaf ${leaf}`]),
    ...(iteration === undefined
      ? []
      : [phase === undefined ? `iteration ${iteration}` : `batch ${phase} ${iteration}`]),
    ...(episode === undefined ? [] : [`episode ${episode}`]),
  ];
  return parts.length === 0 ? "" : ` [${parts.join(", ")}]`;
}

/** Needs no store: the proof and the key alone. */
function verifyProofFile(invocation: Invocation, file: string): CommandResult {
  const key = publicKeyOf(invocation);
  const verification = verifyProof(readProof(file), key);
  const ok = verification.findings.length === 0;
  return {
    json: { ok, ...verification },
    text: ok ? proofSummary(verification) : proofFaults(file, verification),
    exitCode: ok ? 0 : 1,
  };
}

function readProof(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new InputError(`cannot read the proof ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FaradayError(`${file} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

function proofSummary({ run, episode, checkpoint, attempts, complete }: ProofVerification): string {
  const lines = attempts.map(
    ({ worker, epoch, steps, violations, outcome }) =>
      `  worker ${worker}.${epoch}: ${counted(steps, "syscall")}, ${counted(violations, "violation")}, ${outcome ?? "no end"}`,
  );
  const tree = `  root ${checkpoint?.root} at size ${checkpoint?.size} of ${checkpoint?.origin}`;
  const rest = complete ? "" : "\nThe log has no end of it, or not every outcome.";
  return `Episode ${episode} of run ${run} is in the signed tree.\n${[...lines, tree].join("\n")}${rest}\n`;
}

function proofFaults(file: string, { findings }: ProofVerification): string {
  const lines = findings.map(({ message, leaf }) => `  ${message}${leaf === undefined ? "" : ` [leaf ${leaf}]`}`);
  return `${file} proves nothing.\n${lines.join("\n")}\n`;
}

function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
