import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { nodeVersionProblem } from "../../src/commands/node-version.ts";

const cli = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

describe("an old Node", () => {
  it.each(["18.20.4", "20.20.2", "22.21.0", "24.10.9", "24.0.0"])(
    "%s is told in one line how to get a new one",
    (version) => {
      const problem = nodeVersionProblem(version);
      expect(problem).toMatch(`faraday needs Node >= 24.11, this is v${version}; `);
      expect(problem).not.toContain("\n");
    },
  );

  it.each(["24.11.0", "24.21.0", "25.0.0", "26.10.0", "26.0.0-nightly"])("%s is new enough", (version) => {
    expect(nodeVersionProblem(version)).toBeNull();
  });

  it("ends the command with exit code 2 before anything else is loaded", () => {
    const pretend = "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.1.0' })";
    const ran = spawnSync(process.execPath, ["--import", pretend, cli, "--help"], { encoding: "utf8" });
    expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: "" });
    expect(ran.stderr).toMatch(/^faraday needs Node >= 24\.11, this is v20\.1\.0; .+\n$/);
  });

  it("can read all that is loaded before the check", () => {
    for (const file of ["cli.ts", "commands/node-version.ts"]) {
      const source = readFileSync(new URL(`../../src/${file}`, import.meta.url), "utf8");
      expect(source).not.toMatch(/\?\?=|\|\|=|\busing\b|^await|from "node:/m);
    }
  });
});

it("a reader that goes away ends the command quietly", async () => {
  const child = spawn(process.execPath, [cli, "schema"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
