/** What was written to a part of one memory. */
export interface MemoryWrite {
  /** Index of the memory, in the order in which its setup has them. */
  readonly memory: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Stands for memory in a setup that goes to another process. */
interface MemoryCopy {
  readonly sharedMemory: Uint8Array;
}

/** Shared memories of a setup, of which another process has copies: processes share none, and tell each other what they write. */
export class MirroredMemory {
  readonly #memories: readonly SharedArrayBuffer[];

  private constructor(memories: readonly SharedArrayBuffer[]) {
    this.#memories = memories;
  }

  /** Those of a setup. */
  static of(setup: unknown): MirroredMemory {
    const memories: SharedArrayBuffer[] = [];
    replaced(setup, (value) => {
      if (value instanceof SharedArrayBuffer) memories.push(value);
      return value;
    });
    return new MirroredMemory(memories);
  }

  /** A write of what a view holds now. */
  writeOf({ buffer, byteOffset, byteLength }: ArrayBufferView<SharedArrayBuffer>): MemoryWrite {
    const memory = this.#memories.indexOf(buffer);
    if (memory < 0) throw new RangeError("MirroredMemory: this memory is not in the setup");
    return { memory, offset: byteOffset, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  }

  /** Does what the other process did, and wakes whoever waits for that. */
  apply(write: MemoryWrite): void {
    const view = this.#view(write);
    view.set(write.bytes);
    if (view.byteOffset % 4 === 0 && view.byteLength >= 4)
      Atomics.notify(new Int32Array(view.buffer, view.byteOffset, 1), 0);
  }

  /** What this process has where the other wrote something else; `null` where it is the same. */
  changeSince(write: MemoryWrite): MemoryWrite | null {
    const now = Buffer.from(this.#view(write));
    return now.equals(write.bytes) ? null : { ...write, bytes: now };
  }

  #view({ memory, offset, bytes }: MemoryWrite): Uint8Array<SharedArrayBuffer> {
    return new Uint8Array(this.#memories[memory] as SharedArrayBuffer, offset, bytes.byteLength);
  }
}

/** A setup as it crosses to another process: its memories are copies of what they hold now. */
export function packedSetup(setup: unknown): unknown {
  return replaced(setup, (value) =>
    value instanceof SharedArrayBuffer ? ({ sharedMemory: new Uint8Array(value) } satisfies MemoryCopy) : value,
  );
}

/** The setup again, with memories of this process. */
export function unpackedSetup(packed: unknown): unknown {
  return replaced(packed, (value) => {
    if (!isCopy(value)) return value;
    const memory = new SharedArrayBuffer(value.sharedMemory.byteLength);
    new Uint8Array(memory).set(value.sharedMemory);
    return memory;
  });
}

/** Plain data with other values in it; what is replaced is not looked into. */
function replaced(value: unknown, replace: (value: unknown) => unknown): unknown {
  const other = replace(value);
  if (other !== value) return other;
  if (Array.isArray(value)) return value.map((each) => replaced(each, replace));
  if (value === null || typeof value !== "object" || !isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, replace)]));
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isCopy(value: unknown): value is MemoryCopy {
  return (
    typeof value === "object" && value !== null && "sharedMemory" in value && value.sharedMemory instanceof Uint8Array
  );
}
