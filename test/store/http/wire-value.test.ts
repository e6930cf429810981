import fc from "fast-check";
import { expect, it } from "vitest";
import { fromParsed, fromWire, toWire } from "../../../src/store/http/wire-value.ts";

const leaf = fc.oneof(
  ...[fc.string({ unit: "binary" }), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)],
  ...[fc.uint8Array(), fc.int32Array(), fc.uint32Array(), fc.float32Array(), fc.float64Array()],
);
const key = fc.oneof(
  fc.constant("$faraday"),
  fc.string().filter((name) => name !== "__proto__"),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie("value")), fc.dictionary(key, tie("value"))),
}));

it("whatever a training run stores comes through JSON as it was", () => {
  fc.assert(
    fc.property(value, (given) => {
      const text = toWire(given);
      expect(fromWire(text)).toEqual(plain(given));
      expect(fromParsed(JSON.parse(text))).toEqual(plain(given));
    }),
  );
});

/** Objects of fast-check have no prototype. */
function plain(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(plain);
  if (typeof given !== "object" || given === null || ArrayBuffer.isView(given)) return given;
  return Object.fromEntries(Object.entries(given).map(([name, each]) => [name, plain(each)]));
}
