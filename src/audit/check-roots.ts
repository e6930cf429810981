import type { AuditFinding } from "./audit-finding.ts";
import type { CheckedCheckpoints } from "./check-checkpoints.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { TreeWalk } from "./tree-walk.ts";

type OnFinding = (finding: AuditFinding) => void;

/** Compares the recomputed tree with what was signed of it, and with the head known before. */
export function checkRoots(
  signed: CheckedCheckpoints,
  tree: TreeWalk,
  known: Checkpoint | null,
  onFinding: OnFinding,
): void {
  compareRoots(signed, tree, onFinding);
  checkCover(signed, tree, onFinding);
  if (known !== null) compareKnown(signed, tree, known, onFinding);
}

function compareRoots({ checkpoints }: CheckedCheckpoints, tree: TreeWalk, onFinding: OnFinding): void {
  let good = 0;
  for (const checkpoint of checkpoints) {
    const { size, root } = checkpoint;
    const beyond = size > tree.size;
    if (tree.rootAt(size) === root) good = size;
    // What was found in these leaves explains it.
    else if (!tree.isDisturbed(good, beyond ? Number.POSITIVE_INFINITY : size)) {
      onFinding(beyond ? beyondFinding(checkpoint, tree) : rootFinding(checkpoint, tree, good));
      tree.disturb(good);
    }
  }
}

type Indexed = CheckedCheckpoints["checkpoints"][number];

function beyondFinding({ index, size }: Indexed, tree: TreeWalk): AuditFinding {
  const missing = `${size} records were signed, ${tree.size} are there: ${size - tree.size} are missing at the end`;
  return { code: "checkpoint-beyond", message: `checkpoint ${index}: ${missing}`, checkpoint: index, leaf: tree.size };
}

/** @param good Size up to which the tree is the one that was signed. */
function rootFinding({ index, size, root }: Indexed, tree: TreeWalk, good: number): AuditFinding {
  const differs = `the root at size ${size} is ${tree.rootAt(size)}, signed was ${root}`;
  const why =
    good < size
      ? `of the records from leaf ${good} on at least one was changed, and what follows made to fit`
      : "which the log never had";
  const place = tree.ends.find((end) => (good < size ? end.size > good : end.size === size));
  const message = `checkpoint ${index}: ${differs}: ${why}`;
  return { code: "checkpoint-root", message, checkpoint: index, leaf: Math.min(good, size), ...place?.batch };
}

/** Every batch is signed when it is merged. */
function checkCover({ checkpoints, bad }: CheckedCheckpoints, tree: TreeWalk, onFinding: OnFinding): void {
  const sizes = new Set(checkpoints.map(({ size }) => size));
  const signed = checkpoints.at(-1)?.size ?? 0;
  let excused = bad;
  for (const { size, batch } of tree.ends) {
    if (size > signed || sizes.has(size) || tree.isDisturbed(0, size) || excused-- > 0) continue;
    const message = `no checkpoint of size ${size}: one is signed after every batch`;
    onFinding({ code: "checkpoint-missing", message, leaf: size, ...batch });
  }
  if (tree.size <= signed || tree.isDisturbed(0, Number.POSITIVE_INFINITY) || excused > 0) return;
  onFinding({
    code: "tail-unsigned",
    message: `no checkpoint covers the records from leaf ${signed} on: ${tree.size - signed} of ${tree.size}`,
    leaf: signed,
    ...tree.ends.find((end) => end.size > signed)?.batch,
  });
}

function compareKnown(signed: CheckedCheckpoints, tree: TreeWalk, known: Checkpoint, onFinding: OnFinding): void {
  const origin = signed.checkpoints[0]?.origin;
  const size = Math.max(tree.size, signed.checkpoints.at(-1)?.size ?? 0);
  if (origin !== undefined && origin !== known.origin) {
    onFinding({
      code: "head-origin",
      message: `this is the log ${origin}, known here is ${known.origin}: it was put in its place`,
    });
  } else if (size < known.size) {
    onFinding({
      code: "rolled-back",
      message: `the log ends at size ${size}, it had ${known.size} when it was last seen: it was put back to an older state`,
      leaf: size,
    });
  } else if (tree.rootAt(known.size) !== known.root && !tree.isDisturbed(0, known.size)) {
    onFinding({
      code: "head-root",
      message: `the root at size ${known.size} is ${tree.rootAt(known.size)}, it was ${known.root} when it was last seen: what was signed then was replaced`,
      leaf: 0,
    });
  }
}
