import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditSegment } from "../../core/audit.ts";
import type { Phase } from "../../core/episode.ts";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import { type Logger, stderrLogger } from "../../core/logger.ts";
import type { TrajectoryColumns } from "../../core/trajectory.ts";
import type { KeptWeights } from "../kept-weights.ts";
import type {
  BatchRecord,
  LightningStore,
  RunStatus,
  StoredCheckpoint,
  StoredEpisode,
  StoredIteration,
  StoredRun,
  StoredViolation,
  TreeSegment,
} from "../lightning-store.ts";
import type { Span } from "../span.ts";
import { HttpQueue } from "./http-queue.ts";
import { RecordBuffer } from "./record-buffer.ts";
import type { RunMethod } from "./run-methods.ts";
import { type ConnectionOptions, StoreConnection, UnreachableError } from "./store-connection.ts";
import { fromWire, toWire } from "./wire-value.ts";

export interface HttpStoreOptions extends ConnectionOptions {
  /** Where batches are kept that the store has not taken yet, in a folder of their own. */
  readonly baseDir: string;
  /** How much of them. Default 1 GiB. */
  readonly bufferBytesMax?: number;
  /** How long reads, a full buffer and closing wait for a store that does not answer. Default 10 minutes. */
  readonly outageMs?: number;
  readonly logger?: Logger;
}

const pauseMs = { min: 100, max: 5000 } as const;

/**
 * A store that a server has. Batches and the ends of runs that it does not take, since it does not answer, are kept on disk and sent, in
 * their order, once it does; they count as stored from then on, whoever opens the store from the same folder. Sent twice, they are
 * stored once.
 */
export class HttpStore extends HttpQueue implements LightningStore {
  readonly #buffer: RecordBuffer;
  readonly #outageMs: number;
  readonly #logger: Logger;
  readonly #closed = new AbortController();
  #draining: Promise<void> | undefined;
  #rejected: FaradayError | undefined;

  constructor(connection: StoreConnection, options: HttpStoreOptions) {
    super(connection);
    const { baseDir, bufferBytesMax = 2 ** 30, outageMs = 600_000, logger = stderrLogger } = options;
    this.#buffer = new RecordBuffer(join(baseDir, "store-buffer"), { bytesMax: bufferBytesMax });
    this.#outageMs = outageMs;
    this.#logger = logger;
  }

  /**
   * @throws {InputError} where no store answers, or it does not let us in.
   */
  static async open(url: string, options: HttpStoreOptions): Promise<HttpStore> {
    const connection = new StoreConnection(url, { token: tokenOfEnvironment(), ...options });
    const store = new HttpStore(connection, options);
    try {
      await store.statistics();
    } catch (error) {
      throw error instanceof InputError ? error : new InputError(messageOf(error), { cause: error });
    }
    if (store.#buffer.count > 0) await store.#drained();
    return store;
  }

  async beginRun(run: { readonly id: string; readonly config: unknown }): Promise<void> {
    await this.#ask("beginRun", [run]);
  }

  async resumeRun(run: string): Promise<{ readonly epoch: number }> {
    return await this.#read("resumeRun", [run]);
  }

  async endRun(run: { readonly id: string; readonly status: RunStatus; readonly report?: unknown }): Promise<void> {
    await this.#keep("endRun", [run]);
  }

  async storeBatch(batch: BatchRecord): Promise<void> {
    await this.#keep("storeBatch", [batch]);
  }

  async storeWeights(weights: KeptWeights): Promise<void> {
    await this.#keep("storeWeights", [weights]);
  }

  async importSpans(run: string, spans: readonly Span[]): Promise<number> {
    return await this.#read("importSpans", [run, spans]);
  }

  async runs(): Promise<readonly StoredRun[]> {
    return await this.#read("runs", []);
  }

  async iterations(run: string): Promise<readonly StoredIteration[]> {
    return await this.#read("iterations", [run]);
  }

  async violations(run: string, limit?: number): Promise<readonly StoredViolation[]> {
    return await this.#read("violations", [run, limit]);
  }

  async episodes(run: string, phase?: Phase, iteration?: number): Promise<readonly StoredEpisode[]> {
    return await this.#read("episodes", [run, phase, iteration]);
  }

  async trajectories(run: string, phase: Phase, iteration: number): Promise<TrajectoryColumns | null> {
    return await this.#read("trajectories", [run, phase, iteration]);
  }

  async audit(run: string): Promise<readonly AuditSegment[]> {
    return await this.#read("audit", [run]);
  }

  async *auditTree(run: string): AsyncGenerator<TreeSegment> {
    await this.#drained();
    const { body } = await this.connection.open({
      path: "/v1/faraday/auditTree",
      body: toWire([run]),
      repeatable: true,
    });
    for await (const line of linesOf(body)) {
      if (line === "null") return;
      yield fromWire(line) as TreeSegment;
    }
    throw new UnreachableError(`the store at ${this.connection.url} broke off while the audit of ${run} was read`);
  }

  async checkpoints(run: string): Promise<readonly StoredCheckpoint[]> {
    return await this.#read("checkpoints", [run]);
  }

  async spans(run: string, episode?: string): Promise<readonly Span[]> {
    return await this.#read("spans", [run, episode]);
  }

  async spanCount(run: string): Promise<number> {
    return await this.#read("spanCount", [run]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#drained();
    } catch (error) {
      const { count, folder } = this.#buffer;
      this.#logger.error("what the store has not taken stays on disk, for who opens it next from there", {
        ...{ count, folder, error: messageOf(error) },
      });
    }
    this.#closed.abort();
    await this.#draining;
    this.connection.close();
  }

  /** What was buffered is what the store has, so it goes first. */
  async #read<Answer>(method: RunMethod, args: readonly unknown[]): Promise<Answer> {
    await this.#drained();
    return (await this.#ask(method, args)) as Answer;
  }

  async #ask(method: RunMethod, args: readonly unknown[]): Promise<unknown> {
    return fromWire(await this.#send(method, bodyOf(args)));
  }

  #send(method: RunMethod, body: string, again = false): Promise<string> {
    return this.connection.ask({ path: `/v1/faraday/${method}`, body, repeatable: true, again });
  }

  /** Resolves once it is in the store, or on disk. */
  async #keep(method: RunMethod, args: readonly unknown[]): Promise<void> {
    this.#throwRejected();
    const body = bodyOf(args);
    if (this.#buffer.count === 0) {
      try {
        await this.#send(method, body);
        return;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        this.#logger.warning("the store does not answer; what it should have is kept on disk", {
          error: error.message,
        });
      }
    }
    await this.#room(Buffer.byteLength(body));
    this.#buffer.append({ method, body });
    this.#draining ??= this.#drain();
  }

  async #room(bytes: number): Promise<void> {
    if (this.#buffer.fits(bytes)) return;
    this.#logger.warning("the buffer is full; waiting for the store", { bytes: this.#buffer.bytes });
    await this.#until(() => this.#buffer.fits(bytes));
  }

  /** Everything is in the store, as far as it will ever be. */
  async #drained(): Promise<void> {
    await this.#until(() => this.#buffer.count === 0);
    this.#throwRejected();
  }

  async #until(reached: () => boolean): Promise<void> {
    const end = performance.now() + this.#outageMs;
    while (!reached()) {
      this.#draining ??= this.#drain();
      if (performance.now() > end) {
        const { count, folder } = this.#buffer;
        throw new FaradayError(
          `the store at ${this.connection.url} does not answer; ${count} records that it has not wait in ${folder}`,
        );
      }
      await Promise.race([this.#draining, sleep(pauseMs.min)]);
    }
  }

  /** Sends what is buffered, the oldest first. Never rejects. */
  async #drain(): Promise<void> {
    for (let pause: number = pauseMs.min; this.#buffer.count > 0 && !this.#closed.signal.aborted; ) {
      const call = this.#buffer.oldest();
      if (call === undefined) break;
      try {
        await this.#send(call.method, call.body, true);
        this.#buffer.remove();
        pause = pauseMs.min;
      } catch (error) {
        if (!(error instanceof UnreachableError)) this.#reject(error);
        else {
          await sleep(pause, undefined, { signal: this.#closed.signal }).catch(() => {});
          pause = Math.min(2 * pause, pauseMs.max);
        }
      }
    }
    this.#draining = undefined;
  }

  /** Nobody waits for the answer any more, so that whoever asks next is told. */
  #reject(error: unknown): void {
    const kept = this.#buffer.reject();
    this.#rejected ??= new FaradayError(
      `the store at ${this.connection.url} refuses what was kept for it: ${messageOf(error)}; it is in ${kept}`,
      { cause: error },
    );
    this.#logger.error("the store refuses what was kept for it", { file: kept, error: messageOf(error) });
  }

  #throwRejected(): void {
    if (this.#rejected !== undefined) throw this.#rejected;
  }
}

function bodyOf(args: readonly unknown[]): string {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return toWire(args.slice(0, length));
}

/** The token that the environment names. */
function tokenOfEnvironment(): string | undefined {
  const { FARADAY_STORE_TOKEN: token, FARADAY_STORE_TOKEN_FILE: file } = process.env;
  if (token !== undefined && token !== "") return token;
  if (file === undefined || file === "") return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new InputError(`FARADAY_STORE_TOKEN_FILE: ${messageOf(error)}`, { cause: error });
  }
}

async function* linesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
