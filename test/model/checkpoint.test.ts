import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import {
  type Architecture,
  initialWeights,
  parameterCount,
  promptAttentions,
  shapeProblem,
} from "../../src/model/architecture.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/model/checkpoint.ts";
import { decodeSafetensors } from "../../src/model/safetensors.ts";
import { trainTokenizer } from "../../src/model/tokenizer.ts";

const tokenizer = trainTokenizer(["a few words, and a number: 12"], 40);

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "faraday-test-"));
}

const architectures = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 1, max: 3 }),
    half: fc.integer({ min: 1, max: 3 }),
    promptTokens: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 20 }),
    promptAttention: fc.constantFrom(...promptAttentions),
  })
  .map(
    ({ layers, heads, half, promptTokens, more, promptAttention }): Architecture => ({
      ...{ layers, heads, width: 2 * half * heads, promptTokens, contextTokens: promptTokens + more },
      promptAttention,
      vocabularySize: tokenizer.size,
    }),
  );

describe("a checkpoint", () => {
  test("comes back from disk as it was, bit for bit", () => {
    const folder = join(freshFolder(), "deep", "policy");
    fc.assert(
      fc.property(architectures, fc.integer(), (architecture, seed) => {
        expect(shapeProblem(architecture)).toBeNull();
        const weights = initialWeights(architecture, seed);
        const provenance = { command: "test", figures: { loss: 0.5 } };
        saveCheckpoint(folder, { architecture, tokenizer, weights, provenance });
        const loaded = loadCheckpoint(folder);
        expect(loaded.architecture).toEqual(architecture);
        expect(loaded.provenance).toEqual(provenance);
        expect(Buffer.from(loaded.weights.buffer).equals(Buffer.from(weights.buffer))).toBe(true);
        expect(loaded.tokenizer.toJSON()).toEqual(tokenizer.toJSON());
      }),
      { numRuns: 20 },
    );
    expect(readdirSync(folder).sort()).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
  });

  const architecture: Architecture = {
    ...{ layers: 1, width: 4, heads: 2, vocabularySize: tokenizer.size, promptTokens: 4, contextTokens: 8 },
    promptAttention: "causal",
  };
  const weights = initialWeights(architecture, 1);

  test("holds every parameter under its name, for other programs to read", () => {
    const folder = join(freshFolder(), "policy");
    saveCheckpoint(folder, { architecture, tokenizer, weights, provenance: {} });
    const tensors = decodeSafetensors(readFileSync(join(folder, "model.safetensors")), "weights");
    expect(tensors.get("layers.0.attention.qkv")?.shape).toEqual([4, 12]);
    const values = [...tensors.values()].reduce((sum, tensor) => sum + tensor.values.length, 0);
    expect(values).toBe(parameterCount(architecture));
  });

  test("replaces an older one whole, and passes over what a killed save left behind", () => {
    const folder = join(freshFolder(), "policy");
    saveCheckpoint(folder, { architecture, tokenizer, weights, provenance: {} });
    mkdirSync(`${folder}.partial`);
    writeFileSync(join(`${folder}.partial`, "model.safetensors"), "half of it");
    saveCheckpoint(folder, { architecture, tokenizer, weights: weights.map((value) => 2 * value), provenance: {} });
    expect(loadCheckpoint(folder).weights[0]).toBe(2 * (weights[0] as number));
    expect(existsSync(`${folder}.partial`)).toBe(false);
  });

  test("that is broken anywhere is an input error that names the file", () => {
    const folder = join(freshFolder(), "policy");
    saveCheckpoint(folder, { architecture, tokenizer, weights, provenance: {} });
    const files = readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
    const anywhere = fc.record({ file: fc.constantFrom(...files), at: fc.double({ min: 0, max: 0.999, noNaN: true }) });
    fc.assert(
      fc.property(anywhere, fc.boolean(), fc.integer({ min: 0, max: 255 }), ({ file, at }, cut, byte) => {
        const { name, bytes } = file;
        const place = Math.floor(at * bytes.length);
        const broken = cut ? bytes.subarray(0, place) : Buffer.from(bytes).fill(byte, place, place + 1);
        writeFileSync(join(folder, name), broken);
        try {
          loadCheckpoint(folder);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
          expect((error as Error).message).toContain(join(folder, name).replace(/(config|tokenizer)\.json$/, ""));
        } finally {
          writeFileSync(join(folder, name), bytes);
        }
      }),
      { numRuns: 300 },
    );
  });
});
