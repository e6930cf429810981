/** Bytes that a worker may print during one task, on standard output and standard error together. */
const bytesMax = 64 * 1024;

type Stream = Pick<NodeJS.WriteStream, "write">;

/** What a worker prints reaches the process's own streams, up to a bound: user code may print without end. */
export class BoundedOutput {
  #bytes = 0;
  #whose = "one task";

  constructor(streams: readonly Stream[]) {
    for (const stream of streams) this.#bound(stream);
  }

  /**
   * The next task begins: it may print as much again.
   * @param whose What it is called where it prints more.
   */
  refill(whose: string): void {
    this.#bytes = 0;
    this.#whose = whose;
  }

  #bound(stream: Stream): void {
    const write = stream.write.bind(stream) as (text: unknown, ...rest: unknown[]) => boolean;
    stream.write = ((text: string | Uint8Array, ...rest: unknown[]) => {
      const before = this.#bytes;
      this.#bytes += text.length;
      if (this.#bytes <= bytesMax) return write(text, ...rest);
      if (before <= bytesMax)
        write(`a worker printed more than ${bytesMax} bytes in ${this.#whose}: the rest is dropped\n`);
      const done = rest.at(-1);
      if (typeof done === "function") process.nextTick(done);
      return true;
    }) as Stream["write"];
  }
}
