import { generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chatterConfig, freshFolder } from "../run/chatter.ts";
import { faraday } from "./run-cli.ts";

function keyFile(mode: number): string {
  const file = join(freshFolder(), "key.pem");
  writeFileSync(file, generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }), { mode });
  chmodSync(file, mode);
  return file;
}

it("a run signs with the key that its config names, and with no other is it verified", async () => {
  const key = keyFile(0o600);
  const out = join(freshFolder(), "run");
  const trained = await faraday(["train", chatterConfig({ audit: { key } }), "--out", out]);
  expect(trained.exitCode).toBe(0);
  expect(trained.stdout).toContain(`faraday audit verify ${out}`);
  expect(await faraday(["audit", "verify", out, "--key", key])).toMatchObject({ exitCode: 0 });
  const other = await faraday(["audit", "verify", out, "--key", keyFile(0o600)]);
  expect(other).toMatchObject({
    exitCode: 1,
    stdout: expect.stringMatching(/checkpoint-key: .*expected a signature by/),
  });
  expect((await faraday(["report", out])).stdout).toMatch(/Audit: \d+ records, signed; faraday audit verify/);
});

it("a config that lies about its key is not believed: the user's own key is asked", async () => {
  const key = keyFile(0o600);
  const out = join(freshFolder(), "run");
  await faraday(["train", chatterConfig({ audit: { key } }), "--out", out]);
  await faraday(["train", chatterConfig(), "--out", join(freshFolder(), "own")]);
  expect(await faraday(["audit", "verify", out])).toMatchObject({ exitCode: 1 });
});

it.each([
  ["is missing", () => "/nowhere/key.pem", /cannot read the audit key \/nowhere\/key\.pem/],
  ["others can read", () => keyFile(0o644), /must be readable by its owner alone, got mode 0644: run chmod 600/],
  ["is none", () => chatterConfig(), /must hold an Ed25519 private key/],
])("a key that %s ends a run with exit code 2 before anything is written", async (_name, keyOf, message) => {
  const key = keyOf();
  if (key.endsWith(".json")) chmodSync(key, 0o600);
  const out = join(freshFolder(), "run");
  const { exitCode, stderr } = await faraday(["train", chatterConfig({ audit: { key } }), "--out", out]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
  expect(existsSync(out)).toBe(false);
});

it("a relative key lies beside the config", async () => {
  const config = chatterConfig({ audit: { key: "key.pem" } });
  writeFileSync(join(config, "../key.pem"), readFileSync(keyFile(0o600)), { mode: 0o600 });
  const out = join(freshFolder(), "run");
  expect((await faraday(["train", config, "--out", out])).exitCode).toBe(0);
  expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8")).audit.key).toBe(join(config, "../key.pem"));
});
