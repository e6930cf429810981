import type { TimedSegment } from "../core/audit.ts";

/** When records were made. */
export class RecordTimes {
  readonly #bySource = new Map<string, { readonly first: number; readonly times: Float64Array }[]>();

  constructor(segments: readonly TimedSegment[]) {
    for (const { worker, epoch, first, times } of segments) {
      if (times === undefined) continue;
      const source = `${worker} ${epoch}`;
      const known = this.#bySource.get(source);
      if (known === undefined) this.#bySource.set(source, [{ first, times }]);
      else known.push({ first, times });
    }
  }

  /** In milliseconds since 1970; nothing where nobody took the time. */
  at({ worker, epoch }: { readonly worker: number; readonly epoch: number }, sequence: number): number | undefined {
    const parts = this.#bySource.get(`${worker} ${epoch}`) ?? [];
    const part = parts.find(({ first, times }) => sequence >= first && sequence < first + times.length);
    return part?.times[sequence - part.first];
  }
}
