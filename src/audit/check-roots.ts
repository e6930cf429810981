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
  for (const { index, size, root } of checkpoints) {
    if (tree.rootAt(size) === root) {
      good = size;
      continue;
    }
    const beyond = size > tree.size;
    // What was found in these leaves explains it.
    if (tree.isDisturbed(good, beyond ? Number.POSITIVE_INFINITY : size)) continue;
    onFinding({
      code: beyond ? "checkpoint-beyond" : "checkpoint-root",
      message: beyond
        ? `checkpoint ${index}: ${size} records were signed, ${tree.size} are there: ${size - tree.size} are missing at the end`
        : `checkpoint ${index}: the root at size ${size} is ${tree.rootAt(size)}, signed was ${root}: of the records from leaf ${good} on, at least one was changed, and everything after it made to fit`,
      checkpoint: index,
      leaf: beyond ? tree.size : good,
      ...placeAt(tree, size),
    });
    tree.disturb(good);
  }
}

/** Every batch is signed when it is merged. */
function checkCover({ sizes, unreadable }: CheckedCheckpoints, tree: TreeWalk, onFinding: OnFinding): void {
  if (unreadable) return;
  const signedMax = Math.max(-1, ...sizes);
  for (const { size, batch } of tree.ends) {
    if (size > signedMax || sizes.has(size) || tree.isDisturbed(0, size)) continue;
    onFinding({
      code: "checkpoint-missing",
      message: `no checkpoint of size ${size}: one is signed after every batch`,
      leaf: size,
      ...batch,
    });
  }
  if (tree.size <= Math.max(signedMax, 0)) return;
  if (tree.isDisturbed(0, Number.POSITIVE_INFINITY)) return;
  const from = Math.max(signedMax, 0);
  onFinding({
    code: "tail-unsigned",
    message: `the records from leaf ${from} on are covered by no checkpoint: ${tree.size - from} of ${tree.size}`,
    leaf: from,
    ...placeAt(tree, tree.size),
  });
}

function compareKnown(signed: CheckedCheckpoints, tree: TreeWalk, known: Checkpoint, onFinding: OnFinding): void {
  const origin = signed.checkpoints[0]?.origin;
  const size = Math.max(tree.size, ...signed.sizes);
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

/** The batch whose end is at or first behind a size. */
function placeAt(tree: TreeWalk, size: number) {
  return tree.ends.find((end) => end.size >= size)?.batch ?? {};
}
