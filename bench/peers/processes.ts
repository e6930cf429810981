import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { FaradayError, messageOf } from "../../src/core/errors.ts";
import { Missing, type Turn } from "./contest.ts";

const outputBytesMax = 64 * 1024 * 1024;
const turnSchema = z.object({ perSecond: z.number().positive(), version: z.string() });
const notThere = /ModuleNotFoundError|Cannot find module|ENOENT/;

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that is not there has the exit code 127. */
export async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const options = { env: { ...process.env, ...env }, maxBuffer: outputBytesMax };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, [...args], options);
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { readonly code?: unknown; stdout?: string; stderr?: string };
    const exitCode = typeof code === "number" ? code : 127;
    return { exitCode, stdout: stdout ?? "", stderr: stderr || messageOf(error) };
  }
}

/** A turn of a peer's script in Python: the one that FARADAY_PEER_PYTHON names. */
export function pythonTurn(script: string, args: readonly string[], install: string): Promise<Turn> {
  const python = process.env.FARADAY_PEER_PYTHON ?? "python3";
  // Agent Lightning would fetch a list of prices otherwise.
  const env = { LITELLM_LOCAL_MODEL_COST_MAP: "True" };
  return turnOf(run(python, [fileOf(script), ...args], env), `${install}, and name that Python in FARADAY_PEER_PYTHON`);
}

/** A turn of a peer's script in this Node, with packages from the folder that FARADAY_PEER_MODULES names. */
export function nodeTurn(script: string, args: readonly string[], install: string): Promise<Turn> {
  return turnOf(
    run(process.execPath, [fileOf(script), ...args]),
    `${install}, and name that folder in FARADAY_PEER_MODULES`,
  );
}

async function turnOf(running: Promise<Ran>, install: string): Promise<Turn> {
  const { exitCode, stdout, stderr } = await running;
  if (exitCode !== 0 && notThere.test(stderr)) throw new Missing(`not installed; ${install}`);
  const line = stdout.trim().split("\n").at(-1) ?? "";
  if (exitCode === 0) return turnSchema.parse(JSON.parse(line));
  throw new FaradayError(`a peer ended with exit code ${exitCode}: ${stderr.trim().split("\n").at(-1)}`);
}

function fileOf(script: string): string {
  return fileURLToPath(new URL(script, import.meta.url));
}
