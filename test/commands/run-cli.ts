import { Readable } from "node:stream";
import { runCommandLine } from "../../src/commands/main.ts";

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line as the process does, with its output caught. */
export async function faraday(argv: readonly string[], { stdin = "" }: { readonly stdin?: string } = {}): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const exitCode = await runCommandLine(argv, {
    terminal: {
      stdin: Readable.from([stdin]),
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
    },
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: out.join(""), stderr: err.join("") };
}
