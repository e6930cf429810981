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

describe("Ctrl-C", () => {
  const signals = new URL("../../src/commands/signals.ts", import.meta.url).href;
  const source = `
    import { abortOnSignals } from ${JSON.stringify(signals)};
    const { signal } = abortOnSignals((text) => console.log(text));
    signal.addEventListener("abort", () => console.log(String(signal.reason.message)));
    setInterval(() => {}, 1000);
    console.log("ready");`;

  it("aborts once, and ends the process at once the second time", async () => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said: string[] = [];
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      said.push(...String(chunk).trimEnd().split("\n"));
      if (said.at(-1) === "ready" || said.at(-1) === "stopped by SIGINT") child.kill("SIGINT");
    }
    expect(said).toEqual(["ready", "finishing the batch in hand; press again to stop at once", "stopped by SIGINT"]);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
    expect(code).toBe(130);
  });
});
