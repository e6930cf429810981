import fc from "fast-check";
import { expect, it } from "vitest";
import { integerOf, parseExactly } from "../../src/store/exact-json.ts";

it("whole numbers of any length keep their digits", () => {
  const nested = (digits: string) => [digits, `[${digits}]`, `{"a": ${digits}}`, `{"a":{"b":[1,${digits}]}}`];
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (value) => {
      for (const text of nested(String(value))) {
        const written = JSON.stringify(parseExactly(text)).replace(/-?[\d.]+e\+\d+/, (number) =>
          String(BigInt(Number(number))),
        );
        expect(written).toBe(text.replaceAll(" ", ""));
      }
    }),
  );
});

it("everything else is as JSON.parse has it, doubles that JavaScript wrote too", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(parseExactly(text)).toEqual(JSON.parse(text));
    }),
  );
  expect(parseExactly(JSON.stringify([2 ** 60, 1e20, 1e22, -(2 ** 63)]))).toEqual([2 ** 60, 1e20, 1e22, -(2 ** 63)]);
  expect(parseExactly('{"id":"12345678901234567","at":1700000000.1234567891234567}')).toEqual({
    ...{ id: "12345678901234567", at: 1700000000.1234567 },
  });
  expect(integerOf("9007199254740992")).toBe(2 ** 53);
});
