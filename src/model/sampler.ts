import { init, jit, numpy as np, tree } from "@jax-js/jax";
import { Random } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import type { Architecture } from "./architecture.ts";
import { nextLogits } from "./next-token.ts";
import { type LayerCache, loadParameters, type Parameters } from "./parameters.ts";
import { actId, doneId, endId } from "./tokenizer.ts";
import { decodeToken, encodeSequences } from "./transformer.ts";

/** What one row of a batch says and hears. */
export interface Speaker {
  /** Tokens of the prompt, its `<act>` included: 1..promptTokens of them. */
  readonly prompt: readonly number[];
  /** Seed of the row's own stream of random numbers: what a row samples does not depend on its neighbours. */
  readonly seed: number;
  /**
   * Takes a finished action (without its last token) and says what the row hears next, without `<act>`, or `null` when the row has
   * ended.
   * @param last Whether the action ended with `<done>`.
   */
  act(action: readonly number[], last: boolean): readonly number[] | null | Promise<readonly number[] | null>;
}

/** Batched sampling with cached keys and values, in batches of a fixed number of rows. */
export class Sampler {
  readonly #architecture: Architecture;
  readonly #rows: number;
  readonly #prefill: Prefill;
  readonly #decode: Decode;
  #parameters: Parameters | null = null;

  private constructor(architecture: Architecture, rows: number) {
    this.#architecture = architecture;
    this.#rows = rows;
    this.#prefill = jit((parameters: Parameters, tokens: np.Array, last: np.Array) =>
      prefill(architecture, parameters, tokens, last),
    ) as Prefill;
    this.#decode = jit((parameters: Parameters, tokens: np.Array, positions: np.Array, caches: LayerCache[]) =>
      decodeToken(architecture, parameters, tokens, positions, caches),
    ) as Decode;
  }

  /** @param options.rows Rows of every batch; smaller ones are padded to it. */
  static async create(architecture: Architecture, options: { rows: number }): Promise<Sampler> {
    await init("wasm");
    return new Sampler(architecture, options.rows);
  }

  /** Copies the weights in: what is sampled from here on is theirs. */
  setWeights(weights: Float32Array): void {
    if (this.#parameters) tree.dispose(this.#parameters);
    this.#parameters = loadParameters(this.#architecture, weights);
  }

  /**
   * Lets all speakers act until each has ended or filled its context. The batch grows shorter as rows end, and its caches longer as they
   * go on; both depend on the batch alone.
   * @param options.temperature Divides the logits; 0 takes the most probable token.
   */
  async sample(speakers: readonly Speaker[], options: { temperature: number }): Promise<Trajectory[]> {
    if (!this.#parameters) throw new Error("setWeights must come before sample");
    if (speakers.length > this.#rows) throw new RangeError(`expected 0..${this.#rows} rows, got ${speakers.length}`);
    const rows = speakers.map((speaker) => new Row(speaker, this.#architecture.contextTokens, options.temperature));
    const { vocabularySize, promptTokens } = this.#architecture;
    let batch: readonly Row[] = rows;
    let size = this.#rows;
    let slots = promptTokens;
    const tokens = np.array(promptsOf(batch, size, promptTokens)).reshape([size, promptTokens]);
    let { logits, caches } = this.#prefill(tree.ref(this.#parameters), tokens, positionsOf(batch, size));
    for (;;) {
      const values = logits.dataSync() as Float32Array;
      await Promise.all(
        batch.map((row, index) => row.advance(values.subarray(index * vocabularySize, (index + 1) * vocabularySize))),
      );
      const active = batch.filter((row) => !row.ended);
      if (active.length === 0) break;
      if (size > shortRows && active.length <= shortRows) {
        caches = pickRows(caches, batch, active);
        [batch, size] = [active, shortRows];
      }
      const needed = this.#slotsFor(active);
      if (needed > slots) caches = widen(caches, needed - slots);
      slots = Math.max(slots, needed);
      const inputs = np.array(column(batch, size, (row) => row.input));
      ({ logits, caches } = this.#decode(tree.ref(this.#parameters), inputs, positionsOf(batch, size), caches));
    }
    tree.dispose(caches);
    return rows.map((row) => row.trajectory());
  }

  /** Places that the caches must have: few different numbers, since each is compiled for. */
  #slotsFor(rows: readonly Row[]): number {
    const { promptTokens, contextTokens } = this.#architecture;
    const longest = rows.reduce((position, row) => Math.max(position, row.position), 0) + 1;
    const steps = Math.max(0, Math.ceil((longest - promptTokens) / slotStep));
    return Math.min(contextTokens, promptTokens + steps * slotStep);
  }
}

/** A batch with no more active rows than this goes on as one of this size. */
const shortRows = 8;
/** Caches grow by this many places. */
const slotStep = 24;

function promptsOf(rows: readonly Row[], size: number, promptTokens: number): Int32Array<ArrayBuffer> {
  const tokens = new Int32Array(size * promptTokens);
  rows.forEach((row, index) => {
    tokens.set(row.speaker.prompt, index * promptTokens);
  });
  return tokens;
}

/** Position of each row's newest token, the one that is read next. */
function positionsOf(rows: readonly Row[], size: number): np.Array {
  return np.array(column(rows, size, (row) => row.position));
}

function column(rows: readonly Row[], size: number, of: (row: Row) => number): Int32Array<ArrayBuffer> {
  const values = new Int32Array(size);
  rows.forEach((row, index) => {
    values[index] = of(row);
  });
  return values;
}

/** The caches of some rows of a batch, in a batch of {@link shortRows}. */
function pickRows(caches: LayerCache[], batch: readonly Row[], picked: readonly Row[]): LayerCache[] {
  const indices = new Int32Array(shortRows);
  picked.forEach((row, index) => {
    indices[index] = batch.indexOf(row);
  });
  const places = np.array(indices);
  const short = caches.map(({ keys, values }) => ({
    keys: np.take(keys, places.ref, 0),
    values: np.take(values, places.ref, 0),
  }));
  places.dispose();
  return short;
}

/** The caches with empty places behind. */
function widen(caches: LayerCache[], places: number): LayerCache[] {
  const pad = (part: np.Array) =>
    np.pad(part, [
      [0, 0],
      [0, 0],
      [0, places],
      [0, 0],
    ]);
  return caches.map(({ keys, values }) => ({ keys: pad(keys), values: pad(values) }));
}

/** A type rather than an interface: jax-js maps over its fields. */
type Step = {
  logits: np.Array;
  caches: LayerCache[];
};

type Prefill = (parameters: Parameters, tokens: np.Array, last: np.Array) => Step;
type Decode = (parameters: Parameters, tokens: np.Array, positions: np.Array, caches: LayerCache[]) => Step;

/** Reads whole prompts [rows, promptTokens]; logits are those after each row's position `last` [rows]. */
function prefill(architecture: Architecture, parameters: Parameters, tokens: np.Array, last: np.Array): Step {
  const { layers, promptTokens, vocabularySize, width } = architecture;
  const rows = tokens.shape[0] as number;
  const embedding = (parameters.embedding as np.Array).ref;
  const input = { tokens, promptEnds: last.ref };
  const { hidden, caches } = encodeSequences(architecture, { ...parameters, embedding }, input);
  const place = np.arange(promptTokens);
  const isLast = np.equal(place.ref.reshape([1, promptTokens, 1]), last.ref.reshape([rows, 1, 1]));
  const visible = np.lessEqual(place.reshape([1, 1, promptTokens]), last.reshape([rows, 1, 1]));
  const final = np.where(isLast, hidden, 0).sum(1).reshape([rows, 1, width]);
  const cache = caches[layers];
  const seen = cache && { cache: tree.ref(cache), visible: visible.ref };
  visible.dispose();
  const logits = nextLogits(architecture, parameters, final, seen).reshape([rows, vocabularySize]);
  return { logits, caches };
}

/** One row of a batch: what it has read and written, and what it still has to read. */
class Row {
  readonly speaker: Speaker;
  readonly #contextTokens: number;
  readonly #temperature: number;
  readonly #random: Random;
  readonly #tokens: number[];
  readonly #chosen: number[];
  readonly #logProbabilities: number[];
  #unread: readonly number[] = [];
  #action: number[] = [];
  ended = false;

  constructor(speaker: Speaker, contextTokens: number, temperature: number) {
    this.speaker = speaker;
    this.#contextTokens = contextTokens;
    this.#temperature = temperature;
    this.#random = new Random(speaker.seed);
    this.#tokens = [...speaker.prompt];
    this.#chosen = speaker.prompt.map(() => 0);
    this.#logProbabilities = speaker.prompt.map(() => 0);
  }

  /** The newest token: what the model reads next. */
  get input(): number {
    return this.#tokens.at(-1) as number;
  }

  get position(): number {
    return this.#tokens.length - 1;
  }

  /** Takes the logits after the newest token; appends the next token, given or chosen. */
  advance(logits: Float32Array): Promise<void> | undefined {
    if (this.ended) return undefined;
    if (this.#unread.length > 0) {
      this.#append(this.#unread[0] as number, 0, 0);
      this.#unread = this.#unread.slice(1);
      this.#endWhenFull();
      return undefined;
    }
    const { token, logProbability } = chooseToken(logits, this.#temperature, this.#random);
    this.#append(token, 1, logProbability);
    if (token !== endId && token !== doneId) {
      this.#action.push(token);
      this.#endWhenFull();
      return undefined;
    }
    const action = this.#action;
    this.#action = [];
    const heard = this.speaker.act(action, token === doneId);
    if (heard instanceof Promise) return heard.then((tokens) => this.#hear(tokens));
    this.#hear(heard);
    return undefined;
  }

  trajectory(): Trajectory {
    return {
      tokens: Int32Array.from(this.#tokens),
      chosen: Uint8Array.from(this.#chosen),
      logProbabilities: Float32Array.from(this.#logProbabilities),
    };
  }

  #append(token: number, chosen: 0 | 1, logProbability: number): void {
    this.#tokens.push(token);
    this.#chosen.push(chosen);
    this.#logProbabilities.push(logProbability);
  }

  #hear(tokens: readonly number[] | null): void {
    if (tokens === null) this.ended = true;
    else this.#unread = [...tokens, actId];
    this.#endWhenFull();
  }

  #endWhenFull(): void {
    if (this.#tokens.length >= this.#contextTokens) this.ended = true;
  }
}

/** Draws from softmax(logits / temperature) by inverting its distribution function at one uniform number. */
export function chooseToken(
  logits: Float32Array,
  temperature: number,
  random: Random,
): { token: number; logProbability: number } {
  let largest = 0;
  for (let index = 1; index < logits.length; index++) {
    if ((logits[index] as number) > (logits[largest] as number)) largest = index;
  }
  if (temperature === 0) return { token: largest, logProbability: 0 };
  const top = logits[largest] as number;
  let total = 0;
  for (let index = 0; index < logits.length; index++)
    total += Math.exp(((logits[index] as number) - top) / temperature);
  const threshold = random.next() * total;
  let token = largest;
  let cumulative = 0;
  for (let index = 0; index < logits.length; index++) {
    cumulative += Math.exp(((logits[index] as number) - top) / temperature);
    if (cumulative > threshold) {
      token = index;
      break;
    }
  }
  return { token, logProbability: ((logits[token] as number) - top) / temperature - Math.log(total) };
}
