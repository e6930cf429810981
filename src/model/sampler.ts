import { Random } from "../core/random.ts";
import type { Trajectory } from "../core/trajectory.ts";
import { type Architecture, reachOf } from "./architecture.ts";
import { Decoder } from "./decoder.ts";
import { actId, doneId, endId } from "./tokenizer.ts";

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

/** Samples rows side by side. What a row says depends on the weights, its speaker and the temperature alone. */
export class Sampler {
  readonly #architecture: Architecture;
  readonly #decoder: Decoder;
  #hasWeights = false;

  /** @param options.rows Most speakers of a call. */
  constructor(architecture: Architecture, options: { readonly rows: number }) {
    this.#architecture = architecture;
    this.#decoder = new Decoder(architecture, options);
  }

  /** Copies the weights in: what is sampled from here on is theirs. */
  setWeights(weights: Float32Array): void {
    this.#decoder.setWeights(weights);
    this.#hasWeights = true;
  }

  /**
   * Lets all speakers act until each has ended or filled its context.
   * @param options.temperature Divides the logits; 0 takes the most probable token.
   */
  async sample(speakers: readonly Speaker[], { temperature }: { temperature: number }): Promise<Trajectory[]> {
    const decoder = this.#decoder;
    if (!this.#hasWeights) throw new Error("setWeights must come before sample");
    if (speakers.length > decoder.rows)
      throw new RangeError(`expected 0..${decoder.rows} rows, got ${speakers.length}`);
    const rows = speakers.map((speaker, place) => new Row(speaker, place, this.#architecture));
    for (let active = unended(rows); active.length > 0; active = unended(active)) {
      for (const row of active) row.read(decoder);
      decoder.flush();
      const answers = active.map((row) => row.choose(decoder, temperature));
      if (answers.some((answer) => answer !== undefined)) await Promise.all(answers);
    }
    return rows.map((row) => row.trajectory());
  }
}

function unended(rows: readonly Row[]): Row[] {
  return rows.filter((row) => !row.ended);
}

/** One row of a batch: what it has read and written. */
class Row {
  readonly #speaker: Speaker;
  readonly #place: number;
  readonly #architecture: Architecture;
  readonly #random: Random;
  readonly #tokens: number[];
  readonly #chosen: number[];
  readonly #logProbabilities: number[];
  /** Tokens that the decoder has read. */
  #readCount = 0;
  #action: number[] = [];
  #saidAll = false;

  constructor(speaker: Speaker, place: number, architecture: Architecture) {
    this.#speaker = speaker;
    this.#place = place;
    this.#architecture = architecture;
    this.#random = new Random(speaker.seed);
    this.#tokens = [...speaker.prompt];
    this.#chosen = speaker.prompt.map(() => 0);
    this.#logProbabilities = speaker.prompt.map(() => 0);
  }

  get ended(): boolean {
    return this.#saidAll || this.#tokens.length >= this.#architecture.contextTokens;
  }

  /** Has the decoder read what it has not. */
  read(decoder: Decoder): void {
    const last = this.#tokens.length - 1;
    for (let position = this.#readCount; position <= last; position++) {
      const token = this.#tokens[position] as number;
      const reach = reachOf(this.#architecture, { position, promptTokens: this.#speaker.prompt.length });
      decoder.read(token, { row: this.#place, position, reach, asks: position === last });
    }
    this.#readCount = last + 1;
  }

  /** Appends the next token, and what is heard where it ends an action. */
  choose(decoder: Decoder, temperature: number): Promise<void> | undefined {
    const uniform = temperature === 0 ? 0 : this.#random.next();
    const { token, logProbability } = decoder.draw(this.#place, { temperature, uniform });
    this.#append(token, 1, logProbability);
    if (token !== endId && token !== doneId) {
      this.#action.push(token);
      return undefined;
    }
    const action = this.#action;
    this.#action = [];
    const heard = this.#speaker.act(action, token === doneId);
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
    if (tokens === null) {
      this.#saidAll = true;
      return;
    }
    for (const token of [...tokens, actId]) {
      if (this.ended) return;
      this.#append(token, 0, 0);
    }
  }
}
