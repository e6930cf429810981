import type { SqlValue } from "../../../core/sql.ts";
import { columnType } from "./sql-codes.ts";
import type { Pointer, SqlEngine, SqlExports } from "./sql-engine.ts";
import { SqlNames } from "./sql-names.ts";

/** Reads and writes the module's memory; its views are made anew when the memory has grown, which empties the old ones. */
export class SqlHeap {
  readonly #exports: SqlExports;
  readonly #memory: SqlEngine["memory"];
  #bytes = new Uint8Array(0);
  #words = new DataView(new ArrayBuffer(0));
  readonly #strings = new SqlNames((bytes) => decoder.decode(bytes));
  readonly #names = new SqlNames((bytes) => decoder.decode(bytes).toLowerCase());

  constructor(engine: SqlEngine) {
    this.#exports = engine.exports;
    this.#memory = engine.memory;
  }

  get bytes(): Uint8Array {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#bytes;
  }

  pointerAt(at: Pointer): Pointer {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#words.getUint32(at, true);
  }

  int64At(at: Pointer): number {
    if (this.#bytes.length === 0) this.#refresh();
    return this.#words.getUint32(at, true) + this.#words.getInt32(at + 4, true) * 0x1_0000_0000;
  }

  /** A C string; empty where the pointer is null. */
  cString(at: Pointer): string {
    return at === 0 ? "" : this.#strings.at(this.bytes, at);
  }

  /** A C string in lower case, as JavaScript has it: rules compare names the same way. */
  name(at: Pointer): string {
    return at === 0 ? "" : this.#names.at(this.bytes, at);
  }

  /** Puts a text at a place with that much room, in UTF-8. Answers its bytes. */
  write(text: string, at: Pointer, room: number): number {
    const bytes = this.bytes;
    if (text.length > asciiMax) return encoder.encodeInto(text, bytes.subarray(at, at + room)).written;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return encoder.encodeInto(text, bytes.subarray(at, at + room)).written;
      bytes[at + index] = code;
    }
    return text.length;
  }

  text(at: Pointer, length: number): string {
    const bytes = this.bytes;
    if (length > shortText) return decoder.decode(bytes.subarray(at, at + length));
    let text = "";
    for (let index = at; index < at + length; index++) {
      const byte = bytes[index] as number;
      if (byte > 0x7f) return decoder.decode(bytes.subarray(at, at + length));
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** One value of the row that the statement stands on. */
  column(stmt: Pointer, index: number): SqlValue {
    const sqlite = this.#exports;
    switch (sqlite.sqlite3_column_type(stmt, index)) {
      case columnType.integer: {
        const rounded = sqlite.sqlite3_column_double(stmt, index);
        return Number.isSafeInteger(rounded) ? rounded : sqlite.sqlite3_column_int64(stmt, index);
      }
      case columnType.float:
        return sqlite.sqlite3_column_double(stmt, index);
      case columnType.text: {
        const at = sqlite.sqlite3_column_text(stmt, index);
        return this.text(at, sqlite.sqlite3_column_bytes(stmt, index));
      }
      case columnType.blob: {
        const at = sqlite.sqlite3_column_blob(stmt, index);
        return this.bytes.slice(at, at + sqlite.sqlite3_column_bytes(stmt, index));
      }
      default:
        return null;
    }
  }

  #refresh(): void {
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#words = new DataView(this.#memory.buffer);
  }
}

const encoder = new TextEncoder();
/** Up to here a loop is faster than the encoder. */
const asciiMax = 256;
const shortText = 24;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
