import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { libraryScript } from "./corpus.ts";
import type { UnguardedAnswer, UnguardedRequest } from "./unguarded-process.ts";

/** The throw-away process, seen from here. It is killed with whatever became of it. */
export class UnguardedChild implements Disposable {
  readonly #process: ChildProcess;
  readonly #waiting: PromiseWithResolvers<UnguardedAnswer>[] = [];

  constructor() {
    const entry = fileURLToPath(new URL("unguarded-process.ts", import.meta.url));
    this.#process = spawn(process.execPath, [entry, libraryScript], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => this.#waiting.shift()?.resolve(JSON.parse(line) as UnguardedAnswer));
    this.#process.once("exit", () => {
      for (const { reject } of this.#waiting) reject(new Error("the throw-away process ended before it answered"));
    });
  }

  run(request: UnguardedRequest): Promise<UnguardedAnswer> {
    const waiting = Promise.withResolvers<UnguardedAnswer>();
    this.#waiting.push(waiting);
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`);
    return waiting.promise;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}
