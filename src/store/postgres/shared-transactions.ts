import type pg from "pg";
import type { Shared } from "../sql/engine.ts";
import type { Answer, Operation } from "../sql/operation.ts";
import { answer, type Bound, boundOf, drive } from "./answer.ts";
import { faradayLock, hangUpLate } from "./connect.ts";
import { asOutage } from "./outage-codes.ts";

interface Call extends Shared {
  readonly operation: () => Operation<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** So many calls share a transaction at most. */
const callsMax = 256;

/**
 * Only one such transaction is under way in a schema: two that change the same rows in another order would wait for each other until
 * PostgreSQL, after a second, ends one.
 */
const begin = `BEGIN; SELECT pg_advisory_xact_lock(${faradayLock}, hashtext(current_schema()))`;

/**
 * Runs the calls that come while one transaction is under way together in the next one. Those that touch different things go in step: what
 * each asks for next is sent at once and answered at once, so that all of them take as many round trips as one. Where one fails after it
 * has written something, each is run again in a transaction of its own.
 */
export class SharedTransactions implements AsyncDisposable {
  readonly #pool: pg.Pool;
  readonly #alone: (operation: () => Operation<unknown>) => Promise<unknown>;
  #waiting: Call[] = [];
  #running: Promise<void> | undefined;

  constructor(pool: pg.Pool, alone: (operation: () => Operation<unknown>) => Promise<unknown>) {
    this.#pool = pool;
    this.#alone = alone;
  }

  run<Result>(operation: () => Operation<Result>, shared: Shared): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...shared, operation, resolve, reject });
      this.#running ??= this.#runAll();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    using _late = hangUpLate(this.#pool);
    await this.#running;
    await this.#pool.end();
  }

  async #runAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      // After the turn's input: then all requests that came in together are here.
      await new Promise((resolve) => setImmediate(resolve));
      await this.#runTogether(this.#waiting.splice(0, callsMax));
    }
    this.#running = undefined;
  }

  async #runTogether(calls: readonly Call[]): Promise<void> {
    const client = await this.#pool.connect().catch(() => undefined);
    const settled = client === undefined ? undefined : await settle(client, calls);
    if (client === undefined || settled === undefined) {
      // Which of them it was, each says for itself.
      for (const wave of wavesOf(calls)) await Promise.all(wave.map((call) => this.#runAlone(call)));
      return;
    }
    try {
      await client.query("COMMIT");
      client.release();
      for (const tell of settled) tell();
    } catch (error) {
      // It may have been made: nothing of it may be done again.
      client.release(true);
      for (const { reject } of calls) reject(asOutage(error, true));
    }
  }

  async #runAlone({ operation, before, resolve, reject }: Call): Promise<void> {
    const all = function* () {
      if (before !== undefined) yield* before();
      return yield* operation();
    };
    await this.#alone(all).then(resolve as (result: unknown) => void, reject);
  }
}

/** @returns What tells each call of its end, once that is on disk; `undefined` where one has spoilt it for all. */
async function settle(client: pg.PoolClient, calls: readonly Call[]): Promise<readonly (() => void)[] | undefined> {
  try {
    const before = calls.findLast((call) => call.before !== undefined)?.before;
    const begun = client.query(begin);
    await Promise.all([begun, before === undefined ? undefined : drive(client, before())]);
    const settled: (() => void)[] = [];
    for (const wave of wavesOf(calls)) settled.push(...(await inStep(client, wave)));
    return settled;
  } catch {
    await client.query("ROLLBACK").then(
      () => client.release(),
      () => client.release(true),
    );
    return undefined;
  }
}

/** Calls that touch the same thing are in different waves, in their order. */
function wavesOf(calls: readonly Call[]): readonly (readonly Call[])[] {
  const waves: Call[][] = [];
  const next = new Map<string, number>();
  for (const call of calls) {
    const wave = call.touches === undefined ? 0 : (next.get(call.touches) ?? 0);
    if (call.touches !== undefined) next.set(call.touches, wave + 1);
    waves[wave] ??= [];
    waves[wave].push(call);
  }
  return waves;
}

interface Running {
  readonly call: Call;
  readonly operation: Operation<unknown>;
  /** Whether it may have changed anything. */
  wrote: boolean;
}

async function inStep(client: pg.PoolClient, calls: readonly Call[]): Promise<readonly (() => void)[]> {
  const settled: (() => void)[] = [];
  let running: readonly Running[] = calls.map((call) => ({ call, operation: call.operation(), wrote: false }));
  let answers: readonly Answer[] = [];
  while (running.length > 0) {
    const asking: Running[] = [];
    const asked: Bound[] = [];
    for (const [index, each] of running.entries()) {
      const ended = goOn(each, answers[index], (bound) => {
        asking.push(each);
        asked.push(bound);
      });
      if (ended !== undefined) settled.push(ended);
    }
    running = asking;
    answers = await answerAll(client, asked);
  }
  return settled;
}

/** @returns What tells the call of its end, where that is reached. */
function goOn(each: Running, given: Answer | undefined, ask: (bound: Bound) => void): (() => void) | undefined {
  const { call, operation } = each;
  try {
    // What a generator is first given is not looked at.
    const step = operation.next(given as Answer);
    if (step.done === true) return () => call.resolve(step.value as never);
    const bound = boundOf(step.value);
    each.wrote ||= "table" in bound || bound.writes;
    ask(bound);
    return undefined;
  } catch (error) {
    if (each.wrote) throw error;
    return () => call.reject(error);
  }
}

/** Sent as one piece. */
function answerAll(client: pg.PoolClient, asked: readonly Bound[]): Promise<readonly Answer[]> {
  const { stream } = client.connection;
  stream.cork();
  try {
    return Promise.all(asked.map((bound) => answer(client, bound)));
  } finally {
    stream.uncork();
  }
}
