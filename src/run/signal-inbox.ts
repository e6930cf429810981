import { closeSync, openSync, readSync, statSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { z } from "zod";
import { type AgentSignal, agentSignals } from "../core/audit.ts";
import { messageOf } from "../core/errors.ts";

/** A line of `signals.jsonl` in a run directory: what another process asks of the run that goes on there. */
export const signalRequest = z.strictObject({ episode: z.string().min(1).max(116), signal: z.enum(agentSignals) });

/** In the run directory; appended to by whoever sends, read by the run. */
export const signalFile = "signals.jsonl";

const pollMs = 200;
/** Most of the file that is read at once; what is more is read by the next polls. */
const readBytesMax = 65_536;

/** Follows the file of requests while a run goes on. */
export class SignalInbox implements Disposable {
  readonly #path: string;
  readonly #deliver: (episode: string, signal: AgentSignal) => void;
  readonly #reject: (reason: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  readonly #timer: NodeJS.Timeout;
  #read = 0;
  /** The beginning of a line whose end is not written yet. */
  #partial = "";

  /** @param from `end` passes over what was asked of an earlier process. */
  constructor(
    path: string,
    on: {
      readonly signal: (episode: string, signal: AgentSignal) => void;
      /** Told why a line was passed over. */
      readonly rejected: (reason: string) => void;
    },
    { from = "start" }: { readonly from?: "start" | "end" } = {},
  ) {
    this.#path = path;
    if (from === "end") this.#read = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.#deliver = on.signal;
    this.#reject = on.rejected;
    this.#timer = setInterval(() => this.#poll(), pollMs).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #poll(): void {
    try {
      const lines = (this.#partial + this.#newText()).split("\n");
      this.#partial = lines.pop() ?? "";
      for (const line of lines) this.#take(line);
      if (this.#partial.length <= readBytesMax) return;
      this.#reject(`${signalFile} has a line of more than ${readBytesMax} characters: ${this.#partial.slice(0, 200)}`);
      this.#partial = "";
    } catch (error) {
      this.#reject(`${signalFile} cannot be read: ${messageOf(error)}`);
    }
  }

  #take(line: string): void {
    try {
      const { episode, signal } = signalRequest.parse(JSON.parse(line));
      this.#deliver(episode, signal);
    } catch (error) {
      this.#reject(`${line.slice(0, 200)}: ${messageOf(error)}`);
    }
  }

  #newText(): string {
    const size = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    if (size <= this.#read) return "";
    const buffer = Buffer.alloc(Math.min(size - this.#read, readBytesMax));
    const file = openSync(this.#path, "r");
    try {
      const count = readSync(file, buffer, { position: this.#read });
      this.#read += count;
      return this.#decoder.write(buffer.subarray(0, count));
    } finally {
      closeSync(file);
    }
  }
}
