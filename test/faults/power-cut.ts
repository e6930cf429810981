import { cpSync, globSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../src/core/random.ts";
import { start, untilEvents } from "./small-run.ts";

/**
 * The run directory as it was at moments of a run: its process is stopped, the directory copied, and the process goes on. What the system had not
 * yet been asked to bring to the disk is then lost from each copy.
 * @returns Copies of `run`, each in a folder of its own.
 */
export async function imagesOf(config: string, count: number, random: Random): Promise<readonly string[]> {
  const out = join(config, "..", "run");
  const run = start(["train", config, "--out", out]);
  const images: string[] = [];
  await untilEvents(out, 1, run);
  while (images.length < count && run.child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, random.below(120)));
    run.child.kill("SIGSTOP");
    await untilStopped(run.child.pid ?? 0);
    const image = join(config, "..", `image-${images.length + 1}`, "run");
    cpSync(out, image, { recursive: true });
    images.push(image);
    run.child.kill("SIGCONT");
  }
  run.child.kill("SIGKILL");
  await run.ended;
  for (const image of images) loseUnsynced(image, random);
  return images;
}

/** All threads are: a signal is not there at once. */
async function untilStopped(pid: number): Promise<void> {
  const stopped = () =>
    globSync(`/proc/${pid}/task/*/stat`).every((file) => {
      try {
        return /^\d+ \(.*\) [TZX]/.test(readFileSync(file, "utf8"));
      } catch {
        return true;
      }
    });
  while (!stopped()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Logs and files that are not finished end anywhere, an empty file included; of the database, what follows its last commit does. */
function loseUnsynced(image: string, random: Random): void {
  rmSync(join(image, "faraday.db-shm"), { force: true });
  const unsynced = ["events.jsonl", "run.log", "**/*.partial", "**/*.partial/*"].flatMap((files) =>
    globSync(files, { cwd: image }),
  );
  for (const name of unsynced) {
    const file = join(image, name);
    if (statSync(file).isFile()) truncateSync(file, random.below(statSync(file).size + 1));
  }
  const wal = join(image, "faraday.db-wal");
  const { end, committed } = walOf(wal);
  if (end > committed) truncateSync(wal, committed + random.below(end - committed + 1));
}

/** A write-ahead log's size, and where its last commit ends, https://www.sqlite.org/fileformat.html#the_write_ahead_log. */
function walOf(file: string): { readonly end: number; readonly committed: number } {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return { end: 0, committed: 0 };
  const wal = readFileSync(file);
  if (wal.length < 32) return { end: wal.length, committed: wal.length };
  const [frame, salts] = [24 + wal.readUInt32BE(8), wal.subarray(16, 24)];
  let committed = 32;
  for (let at = 32; at + frame <= wal.length && wal.subarray(at + 8, at + 16).equals(salts); at += frame) {
    if (wal.readUInt32BE(at + 4) !== 0) committed = at + frame;
  }
  return { end: wal.length, committed };
}
