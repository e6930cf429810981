import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** `faraday store serve` of an SQLite store in a folder, in a process of its own. */
export async function servedStore(folder: string, resources: AsyncDisposableStack): Promise<string> {
  const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
  const args = ["--conditions=faraday-source", cli, "store", "serve", "--store", "sqlite:served.db", "--port", "0"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  resources.defer(async () => {
    child.kill();
    await once(child, "exit");
  });
  return await addressOf(child);
}

/** The first address that a process prints. */
export async function addressOf({ stdout }: ChildProcess): Promise<string> {
  if (stdout !== null) {
    for await (const line of createInterface({ input: stdout })) {
      const address = /https?:\/\/\S+/.exec(line)?.[0];
      if (address === undefined) continue;
      stdout.resume();
      return address;
    }
  }
  throw new Error("a server ended before it said where it listens");
}
