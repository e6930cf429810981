import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../.ci/start-postgres.sh", import.meta.url));
const searched = [...globSync("/usr/lib/postgresql/*/bin"), ...(process.env.PATH ?? "").split(delimiter)];

/** Whether there is a PostgreSQL to start. */
export const canStart = searched.some((folder) => existsSync(join(folder, "initdb")));
export const skipReason = "there is no initdb of PostgreSQL in /usr/lib/postgresql or PATH";

/** How a server is stopped: as by an administrator, or as where it crashes. */
export const stops = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** A PostgreSQL server of one test's own, that can be stopped and started. */
export class PostgresServer implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "faraday-postgres-"));
  #port = 0;

  /** @returns The URL of its database, the same every time. */
  async start(): Promise<string> {
    if (this.#port === 0) this.#port = await freePort();
    const line = ["bash", script, join(this.#folder, "server"), String(this.#port)];
    execFileSync("chmod", ["755", this.#folder]);
    return execFileSync(line[0] as string, line.slice(1), { encoding: "utf8" }).trim();
  }

  async stop(how: keyof typeof stops): Promise<void> {
    const file = join(this.#folder, "server/data/postmaster.pid");
    if (!existsSync(file)) return;
    process.kill(Number(readFileSync(file, "utf8").split("\n")[0]), stops[how]);
    while (existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("immediate");
    rmSync(this.#folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
