import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../src/core/errors.ts";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "../../src/model/safetensors.ts";

const tensor = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }))
  .chain(([rows, columns]) =>
    fc
      .float32Array({ minLength: rows * columns, maxLength: rows * columns })
      .map((values): Tensor => ({ shape: [rows, columns], values })),
  );

describe("safetensors", () => {
  test("tensors survive the file form bit for bit", () => {
    const tensors = fc
      .dictionary(fc.stringMatching(/^[a-z.0-9]{1,12}$/), tensor)
      .map((entries) => new Map(Object.entries(entries)));
    fc.assert(
      fc.property(tensors, (written) => {
        const read = decodeSafetensors(Buffer.from(encodeSafetensors(written)), "file");
        expect([...read.keys()].sort()).toEqual([...written.keys()].sort());
        for (const [name, { shape, values }] of written) {
          expect(read.get(name)?.shape).toEqual(shape);
          expect(new Uint32Array(read.get(name)?.values.slice().buffer as ArrayBuffer)).toEqual(
            new Uint32Array(values.slice().buffer),
          );
        }
      }),
    );
  });

  test("the header is padded to 8 bytes and names each tensor's place", () => {
    const bytes = encodeSafetensors(new Map([["w", { shape: [2], values: Float32Array.of(1, 2) }]]));
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)));
    expect(header.w).toEqual({ dtype: "F32", shape: [2], data_offsets: [0, 8] });
  });

  test("broken bytes are an InputError that names the file, never another error", () => {
    const good = encodeSafetensors(new Map([["w", { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: good.length - 1 }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (at, byte, cut) => {
          const broken = cut ? good.slice(0, at) : good.slice();
          if (!cut) broken[at] = byte;
          try {
            decodeSafetensors(broken, "weights.safetensors");
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
            expect((error as Error).message).toContain("weights.safetensors");
          }
        },
      ),
    );
  });
});
