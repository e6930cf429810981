import { Memory, type WasmMemory } from "./web-assembly.ts";

const pageBytes = 65_536;
/** So that no vector of four numbers is split over two lines of a cache, and doubles lie on their own boundaries. */
const alignmentBytes = 64;

/** Lays arrays out in one WebAssembly memory. */
export class MemoryPlan {
  #bytes = 0;

  /** Room for so many numbers of 4 bytes. Returns where it begins, in bytes. */
  numbers(count: number): number {
    const at = this.#bytes;
    this.#bytes += Math.ceil((4 * count) / alignmentBytes) * alignmentBytes;
    return at;
  }

  /** A memory that holds all that was planned. */
  memory(): WasmMemory {
    const pages = Math.ceil(this.#bytes / pageBytes);
    return new Memory({ initial: pages, maximum: pages });
  }
}
