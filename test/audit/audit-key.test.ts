import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadAuditKey, loadAuditPublicKey, publicPem } from "../../src/audit/audit-key.ts";
import { configFolder } from "../../src/audit/config-folder.ts";
import { formatVkey } from "../../src/audit/note-key.ts";
import { InputError } from "../../src/core/errors.ts";

const posix = process.platform !== "win32";
const root = process.getuid?.() === 0;
let folder: string;
const place = () => ({ environment: { XDG_CONFIG_HOME: folder } });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "faraday-key-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the audit key", () => {
  it("is made when first asked for, readable by its owner alone, and is the same afterwards", () => {
    const first = loadAuditKey({ place: place() });
    const again = loadAuditKey({ place: place() });
    expect(first.path).toBe(join(folder, "faraday", "audit-key.pem"));
    expect(again.privateKey.equals(first.privateKey)).toBe(true);
    expect(readFileSync(first.path, "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    if (posix) {
      expect(statSync(first.path).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder, "faraday")).mode & 0o777).toBe(0o700);
    }
    expect(readdirSync(join(folder, "faraday"))).toEqual(["audit-key.pem"]);
  });

  it("is one and the same for processes that ask for it at once", async () => {
    const module = fileURLToPath(new URL("../../src/audit/audit-key.ts", import.meta.url));
    const script = `const { loadAuditKey, publicPem } = await import(${JSON.stringify(module)});
      process.stdout.write(publicPem(loadAuditKey().publicKey));`;
    const run = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
        env: { ...process.env, XDG_CONFIG_HOME: folder },
      });
    const keys = await Promise.all([run(), run(), run(), run()]);
    expect(new Set(keys.map(({ stdout }) => stdout)).size).toBe(1);
    expect(readdirSync(join(folder, "faraday"))).toEqual(["audit-key.pem"]);
  });

  it("given by path must be there: none is made", () => {
    const path = join(folder, "mine.pem");
    expect(() => loadAuditKey({ path })).toThrow(InputError);
    expect(existsSync(path)).toBe(false);
  });

  it.skipIf(!posix)("that others can read is refused, with what to do", () => {
    const { path } = loadAuditKey({ place: place() });
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(path, mode);
      expect(() => loadAuditKey({ path })).toThrow(`chmod 600 ${path}`);
    }
  });

  it.each([
    ["no key", "hello"],
    [
      "an RSA key",
      String(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs8", format: "pem" })),
    ],
    ["a public key", publicPem(generateKeyPairSync("ed25519").publicKey)],
    ["half a key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n"],
  ])("is refused when the file holds %s", (_, text) => {
    const path = join(folder, "key.pem");
    writeFileSync(path, text, { mode: 0o600 });
    expect(() => loadAuditKey({ path })).toThrow(/must hold an Ed25519 private key/);
    expect(() => loadAuditKey({ path })).toThrow(InputError);
  });

  it("that cannot be made says where it was to be", () => {
    writeFileSync(join(folder, "faraday"), "a file where the folder belongs");
    expect(() => loadAuditKey({ place: place() })).toThrow(InputError);
    expect(() => loadAuditKey({ place: place() })).toThrow(join(folder, "faraday"));
  });

  it.skipIf(!posix || root)("in a folder that cannot be written says what to do", () => {
    chmodSync(folder, 0o500);
    expect(() => loadAuditKey({ place: place() })).toThrow(/writable/);
    chmodSync(folder, 0o700);
  });
});

describe("the key that checks", () => {
  it("is read from a public key, a verifier key or the private key", () => {
    const key = loadAuditKey({ place: place() });
    const pem = join(folder, "public.pem");
    const vkey = join(folder, "key.vkey");
    writeFileSync(pem, publicPem(key.publicKey));
    writeFileSync(vkey, `${formatVkey("faraday.invalid/run/0", key.publicKey)}\n`);
    for (const path of [pem, vkey, key.path])
      expect(loadAuditPublicKey(path).publicKey.equals(key.publicKey)).toBe(true);
    expect(loadAuditPublicKey(vkey).origin).toBe("faraday.invalid/run/0");
    expect(loadAuditPublicKey(pem).origin).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["text", "hello"],
    ["a key of another kind", publicPem(generateKeyPairSync("x25519").publicKey)],
    ["a damaged key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"],
  ])("is refused when the file holds %s", (_, text) => {
    const path = join(folder, "public.pem");
    writeFileSync(path, text);
    expect(() => loadAuditPublicKey(path)).toThrow(InputError);
  });

  it("that is not there says so", () => {
    expect(() => loadAuditPublicKey(join(folder, "none.pem"))).toThrow(/cannot read the audit public key/);
  });
});

it("the user's own folder is where the platform has it", () => {
  const at = (environment: Record<string, string>, platform: NodeJS.Platform) =>
    configFolder({ environment, platform, home: "/home/ada" });
  expect(at({ XDG_CONFIG_HOME: "/xdg" }, "linux")).toBe(join("/xdg", "faraday"));
  expect(at({ XDG_CONFIG_HOME: "relative" }, "linux")).toBe(join("/home/ada", ".config", "faraday"));
  expect(at({}, "darwin")).toBe(join("/home/ada", ".config", "faraday"));
  expect(at({ APPDATA: "C:/Users/ada/AppData/Roaming" }, "win32")).toBe(
    join("C:/Users/ada/AppData/Roaming", "faraday"),
  );
});
