import { expect, it } from "vitest";
import { faraday } from "./run-cli.ts";

it("faraday doctor says of each thing whether it is there, and its exit code whether all is", async () => {
  const { stdout, exitCode } = await faraday(["doctor", "--json"]);
  const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { name: string; ok: boolean; found: string }[] };
  expect(exitCode).toBe(ok ? 0 : 1);
  expect(ok).toBe(checks.every((check) => check.ok));
  const needed = ["Node", "WebAssembly SIMD", "worker threads", "SQLite for agents", "SQLite for the store"];
  for (const name of needed) expect(checks).toContainEqual(expect.objectContaining({ name, ok: true }));
  const plain = await faraday(["doctor"]);
  for (const { name, found } of checks) expect(plain.stdout).toContain(`${name}: ${found}`);
});
