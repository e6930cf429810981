import { type ExactInteger, isExactInteger } from "../exact-json.ts";
import { ProtobufError, type ProtobufReader } from "./protobuf-reader.ts";

/** An attribute as a span may have it. */
type AttributeValue = Plain | readonly Plain[];
type Plain = string | number | boolean | ExactInteger;
export type Attributes = Record<string, AttributeValue>;

type AnyValue = Plain | null | AnyList | AnyMap;
type AnyList = AnyValue[];
type AnyMap = { [key: string]: AnyValue };

const depthMax = 32;

/**
 * Reads one KeyValue into the attributes. What a span cannot have as an attribute (maps, lists of several types) is kept as JSON text,
 * so that whoever asks for the span can read it; a value that is not there is left out.
 */
export function readAttribute(reader: ProtobufReader, attributes: Attributes): void {
  const outer = reader.enter();
  let key = "";
  let value: AnyValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.word();
    else if (tag === 0x12) value = readAnyValue(reader, 0);
    else reader.skip(tag);
  }
  reader.leave(outer);
  if (value !== null && key !== "__proto__") attributes[key] = typeof value === "object" ? attributeOf(value) : value;
}

function attributeOf(value: ExactInteger | AnyList | AnyMap): AttributeValue {
  if (isExactInteger(value)) return value;
  return Array.isArray(value) && isPlain(value) ? value : JSON.stringify(value);
}

function isPlain(values: AnyList): values is Plain[] {
  const type = typeOf(values[0]);
  return type !== "object" && values.every((each) => typeOf(each) === type);
}

function typeOf(value: AnyValue | undefined): string {
  return isExactInteger(value) ? "number" : typeof value;
}

function readAnyValue(reader: ProtobufReader, depth: number): AnyValue {
  if (depth > depthMax) throw new ProtobufError(`values are nested more than ${depthMax} deep`);
  const outer = reader.enter();
  let value: AnyValue = null;
  while (reader.more) value = readValueField(reader, value, depth);
  reader.leave(outer);
  return value;
}

/** One of the kinds of value; the last one counts. */
function readValueField(reader: ProtobufReader, before: AnyValue, depth: number): AnyValue {
  const tag = reader.tag();
  switch (tag) {
    case 0x0a:
      return reader.text();
    case 0x10:
      return reader.varint() !== 0;
    case 0x18:
      return reader.integer();
    case 0x21:
      return jsonNumber(reader.double());
    case 0x2a:
      return readList(reader, depth);
    case 0x32:
      return readMap(reader, depth);
    case 0x3a:
      return reader.hex();
    default:
      reader.skip(tag);
      return before;
  }
}

/** JSON has no NaN and no infinity; they become text. */
function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function readList(reader: ProtobufReader, depth: number): AnyList {
  const outer = reader.enter();
  const values: AnyList = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) values.push(readAnyValue(reader, depth + 1));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return values;
}

function readMap(reader: ProtobufReader, depth: number): AnyMap {
  const outer = reader.enter();
  const entries: [string, AnyValue][] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) entries.push(readEntry(reader, depth));
    else reader.skip(tag);
  }
  reader.leave(outer);
  return Object.fromEntries(entries);
}

function readEntry(reader: ProtobufReader, depth: number): [string, AnyValue] {
  const outer = reader.enter();
  let key = "";
  let value: AnyValue = null;
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 0x0a) key = reader.word();
    else if (tag === 0x12) value = readAnyValue(reader, depth + 1);
    else reader.skip(tag);
  }
  reader.leave(outer);
  return [key, value];
}
