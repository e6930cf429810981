import fc from "fast-check";

/** Where and how one edit is made; `at` and `pick` choose among whatever there is, modulo its count. */
interface Edit<Kind extends string> {
  readonly kind: Kind;
  readonly at: number;
  readonly pick: number;
  readonly length: number;
}

function edits<Kind extends string>(kinds: readonly Kind[]): fc.Arbitrary<readonly Edit<Kind>[]> {
  const edit = fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat(0x7fff_ffff),
    pick: fc.nat(0xffff),
    length: fc.nat(40),
  });
  return fc.array(edit, { minLength: 1, maxLength: 4 });
}

const byteKinds = ["flip", "set", "insert", "remove", "repeat", "cut", "count"] as const;

/** Valid bytes with up to four of them flipped, set, put in, taken out, repeated or cut off, or counts of 4 bytes made odd. */
export function mutantBytes(...valid: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...valid), edits(byteKinds))
    .map(([bytes, list]) => list.reduce(editBytes, Buffer.from(bytes)));
}

const oddCounts = [0, 1, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

function editBytes(bytes: Buffer, { kind, at: place, pick, length }: Edit<(typeof byteKinds)[number]>): Buffer {
  const at = place % (bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (kind) {
    case "flip":
      return Buffer.concat([
        before,
        Buffer.from(after.subarray(0, 1).map((byte) => byte ^ (1 << (pick & 7)))),
        after.subarray(1),
      ]);
    case "set":
      return Buffer.concat([before, Buffer.of(pick & 0xff), after.subarray(1)]);
    case "insert":
      return Buffer.concat([before, Buffer.alloc(length, pick & 0xff), after]);
    case "remove":
      return Buffer.concat([before, after.subarray(length)]);
    case "repeat":
      return Buffer.concat([before, after.subarray(0, length), after]);
    case "cut":
      return before;
    case "count": {
      const count = Buffer.alloc(4);
      count.writeUInt32LE(oddCounts[pick % oddCounts.length] ?? 0);
      return Buffer.concat([before, count, after.subarray(4)]);
    }
    default:
      return kind satisfies never;
  }
}

/** What texts are seldom tested with: characters that are none, names of prototypes, numbers beyond bounds, depth, other languages' syntax. */
const oddTexts = [
  ...["\ud800", "\udfff", "\0", "\u2028", "\ufeff", "\r", "\t", "\u001b[2J", "💥", "é", "\\", "\\u0000", "\\ud800"],
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "null", "true", "undefined", "NaN"],
  ...["-1", "-0", "1e999", "9007199254740993", "0x10", "1.5", "1".repeat(400), "a".repeat(5000), " ".repeat(3000)],
  ...[
    '"',
    "'",
    "`",
    "--",
    "/*",
    "*/",
    ";",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "=",
    "%",
    "%00",
    "%zz",
    "+",
    "?",
    "#",
  ],
  ...[
    "[".repeat(2000),
    "(".repeat(300),
    '{"a":'.repeat(300),
    "\n",
    "\n\n",
    "- ",
    "&a ",
    "*a",
    "<<: ",
    "!!js/function ",
    "!!binary ",
    "? ",
    "|",
    ">",
  ],
  ...["../", "/dev/null", "/proc/self/mem", "$", "<script>", "🏳️‍🌈", "\u202e"],
];

const textKinds = ["insert", "replace", "remove", "repeat", "cut", "character", "swap"] as const;

/** Valid text with up to four parts replaced by odd ones, taken out, repeated, swapped or cut off. */
export function mutantText(...valid: readonly string[]): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...valid), edits(textKinds)).map(([text, list]) => list.reduce(editText, text));
}

function editText(text: string, { kind, at: place, pick, length }: Edit<(typeof textKinds)[number]>): string {
  const at = place % (text.length + 1);
  const [before, after] = [text.slice(0, at), text.slice(at)];
  const odd = oddTexts[pick % oddTexts.length] ?? "";
  switch (kind) {
    case "insert":
      return before + odd + after;
    case "replace":
      return before + odd + after.slice(length);
    case "remove":
      return before + after.slice(length);
    case "repeat":
      return before + after.slice(0, length) + after;
    case "cut":
      return before;
    case "character":
      return before + String.fromCharCode(pick) + after.slice(1);
    case "swap":
      return after + before;
    default:
      return kind satisfies never;
  }
}

/** Values that take the place of others; each as JSON text, since JSON can say what objects in memory cannot. */
const oddValues = [
  ...[
    "null",
    "true",
    "false",
    "0",
    "-1",
    "-0",
    "1.5",
    "1e999",
    "-1e999",
    "1e-400",
    "9007199254740993",
    "4294967296",
    "123456789012345678901234567890",
  ],
  ...[
    '""',
    '" "',
    '"\\u0000"',
    '"\\ud800"',
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '"1"',
    '"NaN"',
    `"${"x".repeat(5000)}"`,
  ],
  ...[
    "[]",
    "{}",
    "[null]",
    "[[]]",
    '{"__proto__":{"polluted":true}}',
    '{"constructor":{"prototype":{"polluted":true}}}',
  ],
  ...[
    '{"length":4294967295}',
    '{"toString":1}',
    '{"toJSON":1}',
    '{"then":1}',
    '{"type":"__proto__"}',
    '{"$faraday":["Float32Array","AA=="]}',
    '{"$faraday":[]}',
  ],
  ...[`${"[".repeat(2000)}${"]".repeat(2000)}`, `${'{"a":'.repeat(500)}1${"}".repeat(500)}`, `[${"0,".repeat(3000)}0]`],
];
const oddKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  "length",
  "0",
  "\ud800",
  "\0",
  "then",
];

type Json = null | boolean | number | string | Json[] | Raw | Map<string, Json>;
/** JSON text that is put in as it stands. */
interface Raw {
  readonly raw: string;
}

const jsonKinds = ["odd", "odd", "odd", "remove", "add", "duplicate", "rename", "copy", "wrap", "type"] as const;

/** Valid JSON with up to four values replaced, removed, added, doubled, renamed, copied elsewhere or of another type; as text. */
export function mutantJson(...valid: readonly unknown[]): fc.Arbitrary<string> {
  const parsed = valid.map((value) => JSON.stringify(value));
  return fc.tuple(fc.constantFrom(...parsed), edits(jsonKinds)).map(([text, list]) => {
    const holder: Json[] = [treeOf(JSON.parse(text))];
    for (const edit of list) editJson(holder, edit);
    return holder.map(textOf).join(",");
  });
}

/** As {@link mutantJson}, then parsed: for what takes values, not text. */
export function mutantValue(...valid: readonly unknown[]): fc.Arbitrary<unknown> {
  return mutantJson(...valid).map(parsedOrNull);
}

/** Edits of edits may leave text that is no JSON. */
function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A place that a value stands at: an index of a list, or a key of a map. */
interface Place {
  readonly container: Json[] | Map<string, Json>;
  readonly key: number | string;
}

function editJson(holder: Json[], { kind, at, pick }: Edit<(typeof jsonKinds)[number]>): void {
  const places = placesIn(holder);
  const place = places[at % places.length];
  if (place === undefined) return;
  const { container, key } = place;
  const value = (container instanceof Map ? container.get(String(key)) : container[Number(key)]) ?? null;
  const put = (made: Json) => {
    if (container instanceof Map) container.set(String(key), made);
    else container[Number(key)] = made;
  };
  switch (kind) {
    case "odd":
      put({ raw: oddValues[pick % oddValues.length] ?? "0" });
      break;
    case "remove":
      if (container instanceof Map) container.delete(String(key));
      else if (container !== holder) container.splice(Number(key), 1);
      return;
    case "add":
      if (value instanceof Map)
        value.set(oddKeys[pick % oddKeys.length] ?? "", { raw: oddValues[at % oddValues.length] ?? "0" });
      else if (Array.isArray(value)) value.push({ raw: oddValues[at % oddValues.length] ?? "0" });
      return;
    case "duplicate":
      // The key once more, behind what it has: which of the two counts is the parser's choice.
      put({
        raw: `${textOf(value)}${container instanceof Map ? `,${JSON.stringify(key)}:${oddValues[pick % oddValues.length]}` : ""}`,
      });
      break;
    case "rename":
      if (!(container instanceof Map)) return;
      container.delete(String(key));
      container.set(oddKeys[pick % oddKeys.length] ?? "", value);
      return;
    case "copy": {
      const from = places[pick % places.length];
      put(from === undefined ? null : { raw: textOf(valueAt(from)) });
      break;
    }
    case "wrap":
      put(pick % 2 === 0 ? [value] : new Map([["value", value]]));
      break;
    case "type":
      put(typeof value === "string" ? Number(value) || 0 : { raw: JSON.stringify(textOf(value)) });
      break;
    default:
      kind satisfies never;
  }
}

function placesIn(container: Json[] | Map<string, Json>, found: Place[] = []): Place[] {
  for (const [key, value] of container.entries()) {
    found.push({ container, key });
    if (Array.isArray(value) || value instanceof Map) placesIn(value, found);
  }
  return found;
}

function valueAt({ container, key }: Place): Json {
  return (container instanceof Map ? container.get(String(key)) : container[Number(key)]) ?? null;
}

function treeOf(value: unknown): Json {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value !== "object" || value === null) return value as Json;
  return new Map(Object.entries(value).map(([key, each]) => [key, treeOf(each)]));
}

function textOf(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(textOf).join(",")}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([key, each]) => `${JSON.stringify(key)}:${textOf(each)}`).join(",")}}`;
  }
  return typeof value === "object" && value !== null ? value.raw : JSON.stringify(value);
}
