import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { specialTokens, Tokenizer, trainTokenizer, unknownId } from "../../src/model/tokenizer.ts";

const texts = [
  "How many paid orders are there?",
  "SELECT COUNT(*) FROM orders WHERE status='paid' AND total>=50",
  "UPDATE t SET note='a, b  c',x = 1 WHERE id=4711",
];

describe("Tokenizer", () => {
  test("text of known characters survives encoding and decoding", () => {
    const characters = [...new Set(texts.join(""))];
    const tokenizer = trainTokenizer([...texts, characters.join(" "), characters.join("")], 300);
    const text = fc.array(fc.constantFrom(...characters), { maxLength: 60 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (sample) => {
        expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
      }),
    );
  });

  test("a word has the same tokens in a question and in quotes, so that it can be copied", () => {
    const tokenizer = trainTokenizer(texts, 300);
    const [paid] = tokenizer.encode("paid");
    expect(tokenizer.encode("How many paid orders")).toContain(paid);
    expect(tokenizer.encode("status='paid'")).toContain(paid);
  });

  test("the same texts give the same tokenizer, of no more tokens than asked for", () => {
    const [one, other] = [trainTokenizer(texts, 130), trainTokenizer(texts, 130)];
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
    expect(one.size).toBeLessThanOrEqual(130);
  });

  test("its JSON form reads back as the same tokenizer", () => {
    const tokenizer = trainTokenizer(texts, 120);
    const read = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)), "tokenizer.json");
    for (const text of texts) expect(read.encode(text)).toEqual(tokenizer.encode(text));
    expect(read.vocabulary.slice(0, specialTokens.length)).toEqual(specialTokens);
  });

  test("of whole words each is one token, an unseen word is spelled, and JSON keeps that", () => {
    const tokenizer = trainTokenizer([...texts, "Montgomery tallahassee"], 500, { wholeWords: true });
    const read = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)), "tokenizer.json");
    const [id = unknownId, ...rest] = read.encode("tallahassee");
    expect([rest, id === unknownId]).toEqual([[], false]);
    expect(read.decode(read.encode("Where is talla?"))).toBe("Where is talla?");
    expect(read.decode(read.spell(id))).toBe("tallahassee");
    expect(trainTokenizer(texts, 140, { wholeWords: true }).size).toBeLessThanOrEqual(140);
  });

  test("unknown characters become <unk>, and stay visible", () => {
    const tokenizer = trainTokenizer(texts, 120);
    expect(tokenizer.encode("paid é")).toContain(unknownId);
    expect(tokenizer.decode(tokenizer.encode("é"))).toBe("<unk>");
  });

  test.each([
    ["another model", { model: { type: "WordPiece", vocab: {}, merges: [] } }],
    ["no special tokens", { model: { type: "BPE", vocab: { a: 0 }, merges: [] } }],
    ["a gap in the ids", { model: { type: "BPE", vocab: { "<pad>": 0, "<unk>": 2 }, merges: [] } }],
    ["nothing", null],
  ])("%s is refused by name", (_, json) => {
    expect(() => Tokenizer.fromJSON(json, "x/tokenizer.json")).toThrow(/^x\/tokenizer\.json: expected/);
  });
});
