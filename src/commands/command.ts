import type { Readable } from "node:stream";
/** One command: what its help says, and what it does. */
export interface Command {
  /** What follows `faraday`, one line a form. */
  readonly usage: readonly string[];
  /** What the help says besides, in paragraphs. */
  readonly description?: string;
  /** Positional arguments in their order; usage tells which are optional. */
  readonly positionals: { readonly min: number; readonly max: number; readonly names: readonly string[] };
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly string[];
  run(invocation: Invocation): Promise<CommandResult>;
}

export interface OptionSpec {
  /** What the value is called in the help; an option without it is a flag. */
  readonly value?: string;
  readonly multiple?: boolean;
  readonly summary: string;
  /** What holds where it is absent, in words. */
  readonly default?: string;
}

/** A command line that was understood, and what the command needs of its surroundings. */
export interface Invocation {
  readonly positionals: readonly string[];
  /** Whether a flag was given. */
  flag(name: string): boolean;
  /** The value of an option, or `undefined` where it was not given. */
  value(name: string): string | undefined;
  /** All values of an option that may be repeated. */
  values(name: string): readonly string[];
  readonly json: boolean;
  readonly verbose: boolean;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly terminal: Terminal;
}

/** The streams of a process, or of a test. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
}

export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** What a command leaves: one of the two is printed, according to `--json`. */
export interface CommandResult {
  /** The one document of `--json`; `undefined` where the command has written its output itself. */
  readonly json: unknown;
  readonly text: string;
  /** 0 where it is absent. */
  readonly exitCode?: number;
}
