import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { auditKeyPath } from "../../src/audit/audit-key.ts";
import { type AuditedRun, auditedRun, rechain } from "./audited-run.ts";
import { faraday } from "./run-cli.ts";

let run: AuditedRun;
beforeAll(async () => {
  run = await auditedRun();
}, 120_000);

describe("a run as it was left", () => {
  it("verifies, and says how much there is of what, under which key", async () => {
    const { exitCode, stdout } = await faraday(["audit", "verify", run.directory]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Run run: nothing was changed since it was signed\.$/m);
    expect(stdout).toMatch(/records +\d+ of [12] workers? and the main process/);
    expect(stdout).toMatch(/episodes +176 in 5 batches/);
    expect(stdout).toMatch(/checkpoints +5 signed trees, 2 of weights/);
    expect(stdout).toContain(`key          ${run.origin}+`);
    expect(stdout).toMatch(/known head +\d+: no roll-back/);
  });

  it("verifies elsewhere too, where its size was never seen, and says so once", async () => {
    const moved = run.copy();
    const first = await faraday(["audit", "verify", moved.directory]);
    expect(first.stdout).toMatch(
      /No earlier size of this log was known here, so that a roll-back .* cannot be excluded/,
    );
    const second = await faraday(["audit", "verify", moved.directory]);
    expect({ first: first.exitCode, second: second.exitCode }).toEqual({ first: 0, second: 0 });
    expect(second.stdout).toMatch(/known head +\d+: no roll-back/);
  });

  it("verifies by the URL of its store, and with the public key alone", async () => {
    const out = join(run.home, "public.pem");
    const key = await faraday(["audit", "key", run.directory, "--out", out]);
    expect(key.stdout.trim()).toMatch(new RegExp(`^${run.origin}\\+[0-9a-f]{8}\\+`));
    expect(readFileSync(out, "utf8")).toMatch(/^-----BEGIN PUBLIC KEY-----/);
    writeFileSync(join(run.home, "vkey"), key.stdout);
    const url = `sqlite:${join(run.directory, "faraday.db")}`;
    for (const file of [out, join(run.home, "vkey")]) {
      const { exitCode, stdout } = await faraday(["audit", "verify", url, "--run", "run", "--key", file, "--json"]);
      expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, ok: true, weights: 0 });
    }
  });

  it("has a key that only its owner can read, outside of it", () => {
    expect(statSync(auditKeyPath()).mode & 0o777).toBe(0o600);
    expect(auditKeyPath().startsWith(process.env.XDG_CONFIG_HOME ?? "?")).toBe(true);
    for (const file of filesOf(run.directory)) expect(readFileSync(file, "latin1")).not.toContain("PRIVATE KEY");
  });
});

describe("faraday audit show", () => {
  async function shown(...options: readonly string[]) {
    const { exitCode, stdout } = await faraday([
      "audit",
      "show",
      run.directory,
      "--json",
      "--limit",
      "100000",
      ...options,
    ]);
    expect(exitCode).toBe(0);
    return JSON.parse(stdout) as { leaf: number; record: Record<string, unknown>; phase: string; storedAt: number }[];
  }

  it("prints every record in the order of the tree", async () => {
    const records = await shown();
    expect(records.map(({ leaf }) => leaf)).toEqual(records.map((_, index) => index));
  });

  it("filters by episode, rule, severity, worker, phase, iteration and kind", async () => {
    expect((await shown("--episode", "train-1-0-0")).map(({ record }) => record.episode)).toContain("train-1-0-0");
    expect(new Set((await shown("--worker", "0")).map(({ record }) => record.kind))).toEqual(
      new Set(["batch", "update"]),
    );
    expect(new Set((await shown("--phase", "before")).map(({ phase }) => phase))).toEqual(new Set(["before"]));
    expect(await shown("--kind", "update")).toHaveLength(3);
    expect((await shown("--kind", "update", "--iteration", "2")).map(({ record }) => record.iteration)).toEqual([2]);
    const high = await shown("--severity", "high");
    expect(high.length).toBeGreaterThan(0);
    expect(await shown("--rule", "DELETE")).toEqual(
      expect.arrayContaining(high.filter(({ record }) => hasDelete(record))),
    );
    expect(await shown("--rule", "no such rule")).toEqual([]);
  });

  it("filters by the time of storing", async () => {
    const [first] = await shown();
    const time = new Date(first?.storedAt ?? 0).toISOString();
    const early = await shown("--time", `..${time}`);
    expect(new Set(early.map(({ phase }) => phase))).toEqual(new Set(["ungoverned"]));
    expect(await shown("--time", `..${new Date(0).toISOString()}`)).toEqual([]);
  });

  it("says of a record that lacks what its kind has that it cannot be read", async () => {
    const tampered = run.copy();
    tampered.sql((database) =>
      rechain(database, ({ violations: _, ...record }) => ({
        ...record,
        ...(record.kind === "end" ? { kind: "calls" } : {}),
      })),
    );
    const { stdout, stderr, exitCode } = await faraday(["audit", "show", tampered.directory, "--limit", "50"]);
    expect({ stderr: /internal error/.test(stderr), exitCode }).toEqual({ stderr: false, exitCode: 0 });
    expect(stdout).toMatch(/ {2}cannot be read; see faraday audit verify/);
  });

  it("prints a line a record with syscall, verdict and rules", async () => {
    const { stdout } = await faraday(["audit", "show", run.directory, "--severity", "high", "--limit", "1"]);
    expect(stdout).toMatch(
      /^\d+ {2}\d\.0:\d+ {2}before 0 {2}before-0-\d+-0 {2}outcome \d {2}deny, denied {2}sql\/\S+ \(high\) {2}\S+.*\n$/,
    );
  });
});

describe("faraday audit prove", () => {
  it("writes a proof that the public key alone checks, and that no change survives", async () => {
    const out = join(run.home, "proof.json");
    const pem = join(run.home, "audit-public.pem");
    expect((await faraday(["audit", "prove", run.directory, "train-1-0-0", "--out", out])).exitCode).toBe(0);
    await faraday(["audit", "key", run.directory, "--out", pem]);
    const checked = await faraday(["audit", "verify", "--proof", out, "--key", pem]);
    expect(checked).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/train-1-0-0 of run run is in the signed tree/),
    });
    const text = readFileSync(out, "utf8");
    writeFileSync(out, text.replace(/\\"reward\\":[\d.]+/, '\\"reward\\":0.125'));
    const changed = await faraday(["audit", "verify", "--proof", out, "--key", pem]);
    expect(changed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("proves nothing") });
  });

  it("refuses an episode that the log does not have", async () => {
    const { exitCode, stderr } = await faraday([
      "audit",
      "prove",
      run.directory,
      "train-9-0-0",
      "--out",
      join(run.home, "no.json"),
    ]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining("no records of an episode") });
  });

  it("refuses a place that is not there", async () => {
    const out = join(run.home, "nowhere", "proof.json");
    const { exitCode, stderr } = await faraday(["audit", "prove", run.directory, "train-1-0-0", "--out", out]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(`${out} cannot be written`) });
  });
});

describe("bad usage ends with exit code 2 and says what is expected", () => {
  it.each<[string, (run: AuditedRun) => readonly string[], RegExp]>([
    ["an unknown action", () => ["erase", "run"], /no action "erase"; it has verify, show, prove, key/],
    ["no run", () => ["verify"], /audit verify needs <run>/],
    [
      "no run directory",
      ({ home }) => ["verify", join(home, "nowhere")],
      /audit needs a run directory with config.json/,
    ],
    [
      "a missing key",
      ({ directory, home }) => ["verify", directory, "--key", join(home, "nowhere.pem")],
      /cannot read the audit public key/,
    ],
    [
      "another run",
      ({ directory }) => ["verify", directory, "--run", "other"],
      /the store has run; name one with --run ID, got other/,
    ],
    ["a time that is none", ({ directory }) => ["show", directory, "--time", "yesterday"], /--time must be FROM..TO/],
    [
      "an unknown kind",
      ({ directory }) => ["show", directory, "--kind", "thought"],
      /--kind must be one of start, intent/,
    ],
    ["too much", ({ directory }) => ["show", directory, "more"], /takes <run> alone, got "more" besides/],
    ["a proof without a place", ({ directory }) => ["prove", directory, "train-1-0-0"], /needs --out FILE/],
  ])("%s", async (_name, argsOf, message) => {
    const { exitCode, stderr } = await faraday(["audit", ...argsOf(run)]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
  });
});

function hasDelete(record: Record<string, unknown>): boolean {
  return JSON.stringify(record).includes('"rule":"DELETE"');
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
