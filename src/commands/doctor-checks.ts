import { existsSync } from "node:fs";
import { access, constants, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { loadConfig } from "../config/load-config.ts";
import { messageOf } from "../core/errors.ts";
import { nodeVersionProblem } from "./node-version.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: string;
  /** How to get what is missing. */
  readonly remedy: string;
}

/** Looks at all that Faraday needs, by using it where that can be done. */
export function checkMachine(): Promise<readonly Check[]> {
  return Promise.all([
    checkNode(),
    checkCores(),
    checkMemory(),
    checkSimd(),
    probe("worker threads", "run Node itself, without a wrapper that forbids threads", startWorker),
    probe("SQLite for agents", "install again with npm ci", bootKernel),
    probe(
      "SQLite for the store",
      "use a Node build with node:sqlite, such as those of https://nodejs.org",
      openProbeStore,
    ),
    probe("base policy", "install again, or make it with faraday pretrain", findBasePolicy),
    probe("current folder", "change to a folder that you may write to, or name one with --out", writeHere),
  ]);
}

function checkNode(): Check {
  const problem = nodeVersionProblem(process.versions.node);
  return { name: "Node", ok: problem === null, found: process.version, remedy: problem ?? "" };
}

function checkCores(): Check {
  const cores = availableParallelism();
  return { name: "cores", ok: true, found: `${cores}, used by workers: auto`, remedy: "" };
}

const memoryBytesMin = 1e9;

function checkMemory(): Check {
  // A container may be allowed less than the machine has; 0 and huge values mean no limit.
  const bytes = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  return {
    name: "memory",
    ok: bytes >= memoryBytesMin,
    found: `${(bytes / 1e9).toFixed(1)} GB`,
    remedy: "give the machine or container at least 1 GB",
  };
}

/** A function that makes a vector of sixteen bytes: it compiles only where SIMD is understood. */
const simdModule = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...[0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x0a, 0x08, 0x01, 0x06, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x0b],
]);

function checkSimd(): Check {
  // No type library that we use knows this global.
  const { WebAssembly } = globalThis as { WebAssembly?: { validate(module: Uint8Array): boolean } };
  const ok = WebAssembly?.validate(simdModule) ?? false;
  return {
    name: "WebAssembly SIMD",
    ok,
    found: ok ? "there" : "not there",
    remedy: "use a processor with SSE4.1 or NEON, and start Node without --no-wasm-simd",
  };
}

async function probe(name: string, remedy: string, use: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await use(), remedy };
  } catch (error) {
    return { name, ok: false, found: messageOf(error), remedy };
  }
}

/** A thread writes into memory that this one shares with it. */
async function startWorker(): Promise<string> {
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const source = "require('node:worker_threads').workerData[0] = 1";
  await new Promise<unknown>((resolve, reject) => {
    new Worker(source, { eval: true, workerData: shared }).once("error", reject).once("exit", resolve);
  });
  if (shared[0] !== 1) throw new Error("threads do not share memory");
  return "there, with shared memory";
}

async function bootKernel(): Promise<string> {
  const { KernelSpace } = await import("../kernel/kernel-space.ts");
  using kernel = new KernelSpace({ drivers: { sql: { script: "CREATE TABLE probe (id INTEGER)" } } });
  await kernel.boot();
  return "loads";
}

async function openProbeStore(): Promise<string> {
  const { openStore } = await import("../store/open.ts");
  const folder = await mkdtemp(join(tmpdir(), "faraday-doctor-"));
  try {
    await using store = await openStore("sqlite:probe.db", { baseDir: folder });
    await store.runs();
    return "opens";
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findBasePolicy(): Promise<string> {
  const { config } = await loadConfig();
  const folder = config.model.checkpoint ?? "";
  if (!existsSync(join(folder, "model.safetensors"))) throw new Error(`${folder} holds no model.safetensors`);
  return folder;
}

async function writeHere(): Promise<string> {
  await access(process.cwd(), constants.W_OK);
  return `${process.cwd()} can be written`;
}
