import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../src/core/errors.ts";

/** One commit, checked out in a folder of its own with its packages. */
export interface Checkout {
  /** What the user called it. */
  readonly name: string;
  readonly commit: string;
  readonly folder: string;
}

/**
 * Checks commits out beside each other, in worktrees that go with `resources`. Packages are those of the repository's own checkout
 * where the lock file is the same, and are installed otherwise.
 */
export function checkOut(
  repository: string,
  names: readonly string[],
  resources: DisposableStack,
): readonly Checkout[] {
  const commits = names.map((name) => commitOf(repository, name));
  const parent = mkdtempSync(join(tmpdir(), "faraday-compare-"));
  resources.defer(() => rmSync(parent, { recursive: true, force: true }));
  return names.map((name, index) => {
    const commit = commits[index] as string;
    const folder = join(parent, `${index}-${commit.slice(0, 12)}`);
    git(repository, ["worktree", "add", "--quiet", "--detach", folder, commit]);
    resources.defer(() => git(repository, ["worktree", "remove", "--force", folder]));
    givePackages(repository, { commit, folder });
    return { name, commit, folder };
  });
}

function givePackages(repository: string, { commit, folder }: { commit: string; folder: string }): void {
  const lock = "package-lock.json";
  const isSame = git(repository, ["rev-parse", `${commit}:${lock}`]) === git(repository, ["hash-object", lock]);
  if (isSame) symlinkSync(join(repository, "node_modules"), join(folder, "node_modules"));
  else execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--silent"], { cwd: folder, stdio: "inherit" });
}

function commitOf(repository: string, name: string): string {
  try {
    return git(repository, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  } catch {
    throw new InputError(`BASE and HEAD must be commits of this repository, got ${JSON.stringify(name)}`);
  }
}

function git(repository: string, args: readonly string[]): string {
  return execFileSync("git", args, { cwd: repository, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
