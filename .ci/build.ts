/** Compiles the package into dist/, with the files that it reads beside what reads them. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, globSync, rmSync } from "node:fs";
import { join } from "node:path";

const out = "dist";
const assets = [
  "faraday.schema.json",
  "envs/**/*.{yaml,json,jsonl,mjs,sql,safetensors}",
  "src/**/*.wasm",
  "docs/examples/*.yaml",
  "docs/examples/*.ts",
];

rmSync(out, { recursive: true, force: true });
execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"], { stdio: "inherit" });
for (const file of globSync(assets)) cpSync(file, join(out, file));
chmodSync(join(out, "src/cli.js"), 0o755);
