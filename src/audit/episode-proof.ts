import { FaradayError, InputError } from "../core/errors.ts";
import type { LoggedSegment } from "./audit-log.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { lineHashes } from "./line-hashes.ts";
import { MerkleTree } from "./merkle-tree.ts";
import { readSegment } from "./read-segment.ts";
import { splitNote } from "./signed-note.ts";

/** All that a log holds of one episode, with what shows that it is in the signed tree: one JSON document. */
export interface EpisodeProof {
  readonly type: "faraday-episode-proof";
  readonly version: 1;
  readonly run: string;
  readonly episode: string;
  /** The signed checkpoint, a C2SP note. */
  readonly checkpoint: string;
  /** In tree order. */
  readonly records: readonly ProvenRecord[];
}

export interface ProvenRecord {
  /** The record's line, canonical JSON. */
  readonly record: string;
  readonly worker: number;
  /** Position in the tree, and the audit path from there (RFC 6962 section 2.1.1), 64 hexadecimal digits each. */
  readonly leaf: number;
  readonly proof: readonly string[];
}

/**
 * Proves what a log holds of an episode: whatever any recorder wrote of it, the main process included.
 * @param log Its segments in tree order, up to the checkpoint at least, and the checkpoint's note.
 * @throws {InputError} when the log holds nothing of the episode under the checkpoint.
 * @throws {FaradayError} when the segments are not what the checkpoint is over.
 */
export function proveEpisode(
  episode: string,
  log: { readonly run: string; readonly segments: Iterable<LoggedSegment>; readonly checkpoint: string },
): EpisodeProof {
  const { size, root } = checkpointOf(log.checkpoint);
  const leaves: string[] = [];
  const found: Omit<ProvenRecord, "proof">[] = [];
  for (const segment of log.segments) {
    for (const record of recordsOf(episode, segment, leaves.length)) found.push(record);
    for (const hash of lineHashes(segment.bytes).hashes) leaves.push(hash);
  }
  if (leaves.length < size) {
    throw new FaradayError(`the checkpoint is over ${size} records, stored are ${leaves.length}: verify the log`);
  }
  const tree = new MerkleTree(leaves.slice(0, size));
  if (tree.root() !== root) {
    throw new FaradayError(`the root at size ${size} is ${tree.root()}, signed was ${root}: verify the log`);
  }
  const records = found
    .filter(({ leaf }) => leaf < size)
    .map((entry) => ({ ...entry, proof: tree.inclusionProof(entry.leaf) }));
  if (records.length === 0) throw new InputError(`run ${log.run} has no records of an episode ${episode}`);
  return { type: "faraday-episode-proof", version: 1, run: log.run, episode, checkpoint: log.checkpoint, records };
}

/** The records of an episode in one segment, whose first leaf is given. */
function recordsOf(episode: string, segment: LoggedSegment, first: number): Omit<ProvenRecord, "proof">[] {
  const bytes = Buffer.from(segment.bytes.buffer, segment.bytes.byteOffset, segment.bytes.byteLength);
  if (!bytes.includes(`"episode":${JSON.stringify(episode)}`)) return [];
  const texts = bytes.toString("utf8").split("\n");
  return readSegment(segment, 0).lines.flatMap(({ record }, line) =>
    record !== null && "episode" in record && record.episode === episode
      ? { record: texts[line] as string, worker: record.worker, leaf: first + line }
      : [],
  );
}

function checkpointOf(note: string): { readonly size: number; readonly root: string } {
  const parts = splitNote(note);
  const checkpoint = typeof parts === "string" ? parts : parseCheckpoint(parts.text);
  if (typeof checkpoint === "string") throw new FaradayError(`the checkpoint cannot be read: ${checkpoint}`);
  return checkpoint;
}
