import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commands } from "../../src/commands/index.ts";
import { faraday } from "./run-cli.ts";

const names = Object.keys(commands);

describe("help", () => {
  it("lists every command", async () => {
    const { stdout, exitCode } = await faraday(["--help"]);
    expect(exitCode).toBe(0);
    for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect((await faraday([])).stdout).toBe(stdout);
  });

  it.each(names)("of %s tells usage, every option, examples and exit codes", async (name) => {
    const { stdout, stderr, exitCode } = await faraday([name, "--help"]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(stdout).toContain(`Usage:\n  faraday ${name}`);
    expect(stdout).toContain("Examples:\n  ");
    expect(stdout).toContain("Exit codes:\n  0  done");
    const command = await commands[name]?.load();
    for (const option of Object.keys(command?.options ?? {})) expect(stdout).toContain(`--${option}`);
    expect((await faraday(["help", name])).stdout).toBe(stdout);
  });

  it.each(names)("of %s names in its usage no option that it does not have", async (name) => {
    const command = await commands[name]?.load();
    const used = [...(command?.usage.join(" ") ?? "").matchAll(/--([a-z-]+)/g)].map(([, option]) => option);
    expect(Object.keys(command?.options ?? {})).toEqual(expect.arrayContaining(used));
  });

  it("tells the version", async () => {
    expect((await faraday(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("bad usage ends with exit code 2 and says", () => {
  it.each([
    [["tran"], "faraday has no command tran; did you mean train?"],
    [["--frobnicate"], "faraday has no option --frobnicate; see faraday --help"],
    [["train", "--sead", "1"], "faraday train has no option --sead; did you mean --seed?"],
    [["train", "--seed"], "Option '--seed <value>' argument missing; see faraday train --help"],
    [["train", "a.yaml", "b.yaml"], 'faraday train takes [config] alone, got "b.yaml" besides'],
    [["schema", "x"], 'faraday schema takes no arguments, got "x" besides'],
    [["eval"], "eval needs a run directory or a checkpoint folder, or a config with an agent; got none of them"],
    [["eval", ".", "--split", "tset"], '--split must be one of train, val, test, got "tset"'],
    [["eval", ".", "--episodes", "0"], '--episodes must be 1..1000000, got "0"'],
    [["eval", "/nowhere"], "eval needs a run directory or a checkpoint folder, got /nowhere"],
    [["report", "/nowhere"], "report needs a run directory with report.json, got /nowhere: it is no run directory"],
    [["bench", "--workers", "1,x"], '--workers must be 1..256, got "x"'],
    [["kernel", "walk", "x"], 'faraday kernel has no action "walk"; it has run, lint and hash'],
    [["train", "--workers", "0"], 'workers must be "auto" or 1..256, got 0'],
    [["train", "/nowhere.yaml"], "got /nowhere.yaml: it does not exist"],
  ])("faraday %j", async (argv, message) => {
    const { exitCode, stdout, stderr } = await faraday(argv);
    expect(stderr).toContain(message);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  });

  it("the same as the one JSON document on stdout with --json", async () => {
    const { exitCode, stdout, stderr } = await faraday(["tran", "--json"]);
    const message = "faraday has no command tran; did you mean train?";
    expect(JSON.parse(stdout)).toEqual({ error: { message, exitCode: 2 } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: `faraday: ${message}\n` });
  });
});

it("faraday schema prints the JSON Schema, also with --json", async () => {
  const plain = JSON.parse((await faraday(["schema"])).stdout);
  expect(plain).toMatchObject({ title: "Faraday configuration", additionalProperties: false });
  expect(JSON.parse((await faraday(["schema", "--json"])).stdout)).toEqual(plain);
});

it("faraday init writes a config that loads, and overwrites nothing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "faraday-init-"));
  const { stdout } = await faraday(["init", folder, "--json"]);
  const config = join(folder, "faraday.yaml");
  expect(JSON.parse(stdout)).toEqual({ written: [config] });
  const { loadConfig } = await import("../../src/config/load-config.ts");
  await expect(loadConfig({ file: config })).resolves.toMatchObject({ config: { baseDir: folder } });
  const again = await faraday(["init", folder]);
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`${config} is there already`) });
});
