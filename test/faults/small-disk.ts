import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of a few megabytes, mounted until it is disposed. */
export class SmallDisk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "faraday-disk-"));

  constructor(mebibytes: number) {
    mount("-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", this.path);
  }

  /** Leaves so many bytes. */
  fill(leave: number): void {
    const { bavail, bsize } = statfsSync(this.path);
    writeFileSync(join(this.path, "filler"), Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  }

  free(): void {
    rmSync(join(this.path, "filler"), { force: true });
  }

  /** Waits for files that are being closed. */
  async makeReadOnly(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      if (spawnSync("mount", ["-o", "remount,ro", this.path]).status === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${this.path} is written to and cannot be made read-only`);
  }

  makeWritable(): void {
    mount("-o", "remount,rw", this.path);
  }

  [Symbol.dispose](): void {
    spawnSync("umount", ["-l", this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}

function mount(...args: readonly string[]): void {
  const { status, stderr } = spawnSync("mount", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`mount ${args.join(" ")}: ${stderr}`);
}

/** Why there can be no small disk here; `null` where there can. Root of a container may not mount either. */
export const noDisk = whyNoDisk();

function whyNoDisk(): string | null {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "mounting a tmpfs needs root on Linux";
  try {
    using _disk = new SmallDisk(1);
    return null;
  } catch (error) {
    return String(error);
  }
}
