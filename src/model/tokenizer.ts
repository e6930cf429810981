import { InputError } from "../core/errors.ts";

/** Tokens that text never produces. Their order is their id. */
export const specialTokens = ["<pad>", "<unk>", "<act>", "<end>", "<done>"] as const;
export const padId = 0;
export const unknownId = 1;
/** Stands before every action: the policy model speaks next. */
export const actId = 2;
/** Ends an action; the agent wants to see what came of it. */
export const endId = 3;
/** Ends an action that is the last one, if it completes. */
export const doneId = 4;

/** Stands for a space that is not simply the one between two words. */
const explicitSpace = "␠";
const subwordPrefix = "##";
const word = "[\\p{L}\\p{N}_]";
const explicitSpacePattern = `(?<!${word}) | (?!${word})`;
const piecePattern = `${word}+|[^\\p{L}\\p{N}_ ]`;
/** A space that decoding put beside punctuation, where text has it spelled out as {@link explicitSpace}. */
const impliedSpacePattern = `(?<!${word}) | (?!${word})`;

type Pair = readonly [string, string];

/**
 * Byte-pair encoding over words (Sennrich et al. 2016), written and read as a Hugging Face `tokenizer.json`. A word has the same
 * tokens wherever it stands: the single space between two words is implied, every other one is a token. A model can
 * so copy a literal from a question into a query token by token.
 */
export class Tokenizer {
  readonly vocabulary: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #merges: readonly Pair[];
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #wholeWords: boolean;
  readonly #cache = new Map<string, readonly number[]>();

  /** @param wholeWords Whether a word that is a token is one, whatever merges would make of it. */
  constructor(vocabulary: readonly string[], merges: readonly Pair[], wholeWords = false) {
    this.vocabulary = vocabulary;
    this.#wholeWords = wholeWords;
    this.#ids = new Map(vocabulary.map((token, id) => [token, id]));
    this.#merges = merges;
    this.#ranks = new Map(merges.map(([left, right], rank) => [`${left} ${right}`, rank]));
  }

  get size(): number {
    return this.vocabulary.length;
  }

  encode(text: string): number[] {
    return piecesOf(text).flatMap((piece) => this.#encodePiece(piece));
  }

  /** Special tokens other than `<unk>` are left out. Lossless for text without unknown characters. */
  decode(ids: Iterable<number>): string {
    let text = "";
    for (const id of ids) {
      if (id !== unknownId && id < specialTokens.length) continue;
      const token = this.vocabulary[id];
      if (token === undefined) throw new RangeError(`token id must be below ${this.size}, got ${id}`);
      if (token.startsWith(subwordPrefix) && token.length > subwordPrefix.length && text !== "") {
        text += token.slice(subwordPrefix.length);
      } else {
        text += text === "" ? token : ` ${token}`;
      }
    }
    return text.replace(new RegExp(impliedSpacePattern, "gu"), "").replaceAll(explicitSpace, " ");
  }

  #encodePiece(piece: string): readonly number[] {
    const cached = this.#cache.get(piece);
    if (cached) return cached;
    const whole = this.#wholeWords ? this.#ids.get(piece) : undefined;
    const ids = whole === undefined ? this.#merged(piece) : [whole];
    if (this.#cache.size < 65_536) this.#cache.set(piece, ids);
    return ids;
  }

  /** The tokens of a word's parts, where a word is one token alone because it is known whole. */
  spell(id: number): readonly number[] {
    const token = this.vocabulary[id] ?? "";
    return id < specialTokens.length || token.startsWith(subwordPrefix) ? [id] : this.#merged(token);
  }

  #merged(piece: string): number[] {
    let symbols = symbolsOf(piece);
    for (;;) {
      const best = this.#lowestRank(symbols);
      if (best === null) break;
      symbols = mergePair(symbols, best);
    }
    return symbols.map((symbol) => this.#ids.get(symbol) ?? unknownId);
  }

  #lowestRank(symbols: readonly string[]): Pair | null {
    let lowest = Number.POSITIVE_INFINITY;
    for (let index = 1; index < symbols.length; index++) {
      lowest = Math.min(lowest, this.#ranks.get(`${symbols[index - 1]} ${symbols[index]}`) ?? lowest);
    }
    return this.#merges[lowest] ?? null;
  }

  /** The Hugging Face `tokenizer.json` of this tokenizer. */
  toJSON(): unknown {
    return {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: specialTokens.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: { type: "Replace", pattern: { Regex: explicitSpacePattern }, content: explicitSpace },
      pre_tokenizer: { type: "Split", pattern: { Regex: piecePattern }, behavior: "Removed", invert: true },
      post_processor: null,
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "WordPiece", prefix: subwordPrefix, cleanup: false },
          { type: "Fuse" },
          { type: "Replace", pattern: { Regex: impliedSpacePattern }, content: "" },
          { type: "Replace", pattern: { String: explicitSpace }, content: " " },
        ],
      },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: specialTokens[unknownId],
        continuing_subword_prefix: subwordPrefix,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: this.#wholeWords,
        vocab: Object.fromEntries(this.vocabulary.map((token, id) => [token, id])),
        merges: this.#merges,
      },
    };
  }

  /**
   * Reads what {@link toJSON} wrote.
   * @throws {InputError} when it is another kind of tokenizer.
   */
  static fromJSON(json: unknown, where: string): Tokenizer {
    const model = (
      json as { model?: { type?: unknown; vocab?: unknown; merges?: unknown; ignore_merges?: unknown } } | null
    )?.model;
    const vocab = model?.vocab;
    if (model?.type !== "BPE" || typeof vocab !== "object" || vocab === null || !Array.isArray(model.merges)) {
      throw new InputError(`${where}: expected a tokenizer.json with a BPE model written by faraday pretrain`);
    }
    const ids = Object.entries(vocab);
    const vocabulary: string[] = [];
    for (const [token, id] of ids) if (Number.isInteger(id) && id >= 0 && id < ids.length) vocabulary[id] = token;
    const complete = vocabulary.length === ids.length && !vocabulary.includes(undefined as never);
    const merges: unknown[] = model.merges;
    if (!complete || !merges.every(isPair) || specialTokens.some((token, id) => vocabulary[id] !== token)) {
      throw new InputError(
        `${where}: expected ids 0..${specialTokens.length - 1} to be ${specialTokens.join(" ")}, ` +
          "no gap between ids, and merges as pairs of texts",
      );
    }
    return new Tokenizer(vocabulary, merges, model.ignore_merges === true);
  }
}

function isPair(value: unknown): value is Pair {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

/**
 * Learns merges from texts, the most frequent pair first; of equally frequent pairs the one that sorts first, so the same texts
 * give the same tokenizer. Every character that was seen is a token at the start of a word and within one, so words of known characters have no
 * unknown token.
 * @param vocabularySizeMax Most tokens, special ones included: fewer when every word is a token already, more when the characters alone
 * are.
 * @param wholeWords Makes the most frequent words tokens first, and leaves merges for words that were not seen.
 */
export function trainTokenizer(
  texts: Iterable<string>,
  vocabularySizeMax: number,
  { wholeWords = false }: { readonly wholeWords?: boolean } = {},
): Tokenizer {
  const words = countPieces(texts);
  const alphabet = new Set<string>();
  for (const { symbols } of words) for (const symbol of symbols) addCharacter(alphabet, symbol);
  const vocabulary: string[] = [...specialTokens, ...[...alphabet].sort()];
  const merges: Pair[] = [];
  const known = new Set(vocabulary);
  const whole = wholeWords ? frequentWords(words, known, vocabularySizeMax - vocabulary.length - mergesOfUnseen) : [];
  const mergesMax = wholeWords ? Math.min(vocabularySizeMax, vocabulary.length + mergesOfUnseen) : vocabularySizeMax;
  while (vocabulary.length < mergesMax) {
    const pair = mostFrequentPair(words);
    if (pair === null) break;
    for (const entry of words) entry.symbols = mergePair(entry.symbols, pair);
    merges.push(pair);
    const merged = joinSymbols(pair);
    if (!vocabulary.includes(merged)) vocabulary.push(merged);
  }
  return new Tokenizer([...new Set([...vocabulary, ...whole])], merges, wholeWords);
}

/** Merges that are learned beside whole words. */
const mergesOfUnseen = 128;

/** Words that are no token yet, the most frequent first. */
function frequentWords(words: readonly CountedWord[], known: ReadonlySet<string>, countMax: number): string[] {
  const counted = words.map(({ symbols, count }) => ({
    word: symbols.reduce((left, right) => joinSymbols([left, right])),
    count,
  }));
  counted.sort((a, b) => b.count - a.count || (a.word < b.word ? -1 : 1));
  return counted.flatMap(({ word }) => (known.has(word) ? [] : [word])).slice(0, Math.max(0, countMax));
}

function addCharacter(alphabet: Set<string>, symbol: string): void {
  const character = symbol.length > subwordPrefix.length ? symbol.slice(subwordPrefix.length) : symbol;
  alphabet.add(character);
  if (new RegExp(word, "u").test(character)) alphabet.add(subwordPrefix + character);
}

function piecesOf(text: string): string[] {
  const spaced = text.replace(new RegExp(explicitSpacePattern, "gu"), explicitSpace);
  return spaced.match(new RegExp(piecePattern, "gu")) ?? [];
}

function symbolsOf(piece: string): string[] {
  return Array.from(piece, (character, index) => (index === 0 ? character : subwordPrefix + character));
}

function joinSymbols([left, right]: Pair): string {
  return left + right.slice(subwordPrefix.length);
}

function mergePair(symbols: readonly string[], pair: Pair): string[] {
  const merged: string[] = [];
  for (let index = 0; index < symbols.length; index++) {
    if (symbols[index] === pair[0] && symbols[index + 1] === pair[1]) {
      merged.push(joinSymbols(pair));
      index++;
    } else {
      merged.push(symbols[index] as string);
    }
  }
  return merged;
}

interface CountedWord {
  symbols: string[];
  readonly count: number;
}

function countPieces(texts: Iterable<string>): CountedWord[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const piece of piecesOf(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  return [...counts].map(([piece, count]) => ({ symbols: symbolsOf(piece), count }));
}

function mostFrequentPair(words: readonly CountedWord[]): Pair | null {
  const counts = new Map<string, { pair: Pair; count: number }>();
  for (const { symbols, count } of words) {
    for (let index = 1; index < symbols.length; index++) {
      const pair: Pair = [symbols[index - 1] as string, symbols[index] as string];
      const key = `${pair[0]} ${pair[1]}`;
      const entry = counts.get(key);
      if (entry) entry.count += count;
      else counts.set(key, { pair, count });
    }
  }
  let best: { key: string; pair: Pair; count: number } | null = null;
  for (const [key, { pair, count }] of counts) {
    if (best === null || count > best.count || (count === best.count && key < best.key)) best = { key, pair, count };
  }
  return best?.pair ?? null;
}
