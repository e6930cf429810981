import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { faraday } from "./run-cli.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-serve-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("faraday store serve", () => {
  it("prints one line with its address, serves, and ends on SIGTERM with exit code 0", async () => {
    const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
    const args = ["--conditions=faraday-source", cli, "store", "serve", "--store", "sqlite:served.db", "--port", "0"];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout }).on("line", (line) => lines.push(line));
    await once(reader, "line");
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(lines[0] ?? "")?.[1];
    expect(await (await fetch(`${url}/v1/agl/health`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${url}/openapi.json`)).json()).toHaveProperty([
      "paths",
      "/v1/agl/rollouts/{rollout_id}/attempts/{attempt_id}",
    ]);
    expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^faraday_store_records\{kind="rollouts"\} 0$/m);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(lines).toHaveLength(1);
  });

  it.each([
    [
      "beyond this machine without tokens",
      ["--host", "0.0.0.0"],
      /0\.0\.0\.0, beyond this machine, needs --token-file/,
    ],
    ["with a port that is none", ["--port", "70000"], /--port must be 0\.\.65535/],
    ["with a token file that is not there", ["--token-file", "nothing"], /--token-file: ENOENT/],
    ["with a token file that others may read", ["--token-file", "TOKENS"], /others may read it; chmod 600/],
    ["with a store that is none", ["--store", "mysql://x"], /store must be sqlite:path/],
  ])("refuses to serve %s", async (_, args, message) => {
    const tokens = join(folder, "tokens");
    writeFileSync(tokens, "write writer-0123456789abcdef\n");
    chmodSync(tokens, 0o644);
    const given = args.map((arg) => (arg === "TOKENS" ? tokens : arg));
    const store = args.includes("--store") ? [] : ["--store", `sqlite:${join(folder, "served.db")}`];
    const ran = await faraday(["store", "serve", ...store, ...given]);
    expect(ran).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(message) });
  });
});
