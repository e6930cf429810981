import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type Architecture, initialWeights } from "../../src/model/architecture.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/model/checkpoint.ts";
import { decodeSafetensors } from "../../src/model/safetensors.ts";
import { Tokenizer, trainTokenizer } from "../../src/model/tokenizer.ts";
import { fuzz, fuzzTimeout, scratchFolder } from "./fuzz.ts";
import { mutantBytes, mutantJson, mutantText, mutantValue } from "./mutants.ts";

const tokenizer = trainTokenizer(["a few words, and a number: 12"], 40);
const architecture: Architecture = {
  ...{ layers: 1, width: 4, heads: 2, vocabularySize: tokenizer.size, promptTokens: 4, contextTokens: 8 },
  ...{ promptAttention: "causal", copyWidth: 2 },
};
const folder = join(scratchFolder(), "policy");
saveCheckpoint(folder, {
  architecture,
  tokenizer,
  weights: initialWeights(architecture, 1),
  provenance: { made: "here" },
});
const weightsFile = join(folder, "model.safetensors");
const weights = readFileSync(weightsFile);
const headerEnd = 8 + Number(weights.readBigUInt64LE(0));

/** A safetensors file whose lengths agree again, whatever its header says. */
function withHeader(json: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
  return Buffer.concat([length, Buffer.from(json), weights.subarray(headerEnd)]);
}

describe("a checkpoint that is not what it was", fuzzTimeout, () => {
  it("in any bytes of its weights", () => fuzz(mutantBytes(weights), (bytes) => decodeSafetensors(bytes, "weights")));

  it("in the header of its weights", async () => {
    const headers = mutantJson(JSON.parse(weights.toString("utf8", 8, headerEnd)));
    await fuzz(headers, (header) => decodeSafetensors(withHeader(header), "weights"));
  });

  it.each(["config.json", "tokenizer.json", "model.safetensors"])("in its %s on disk", async (name) => {
    const whole = readFileSync(join(folder, name));
    const broken =
      name === "model.safetensors"
        ? mutantBytes(whole)
        : fc.oneof(mutantJson(JSON.parse(String(whole))), mutantText(String(whole)));
    await fuzz(
      broken as fc.Arbitrary<Buffer | string>,
      (content) => {
        writeFileSync(join(folder, name), content);
        loadCheckpoint(folder);
      },
      { part: name === "model.safetensors" ? 0.1 : 1 },
    );
    writeFileSync(join(folder, name), whole);
  });
});

describe("a tokenizer.json that is not what it was", fuzzTimeout, () => {
  it("is refused, or reads and writes text", async () => {
    const documents = mutantValue(
      tokenizer.toJSON(),
      trainTokenizer(["one two three one two"], 60, { wholeWords: true }).toJSON(),
    );
    await fuzz(documents, (document) => {
      const read = Tokenizer.fromJSON(document, "tokenizer.json");
      read.decode(read.encode("a few words, and __proto__ 12 \ud800"));
      JSON.stringify(read);
    });
  });
});
