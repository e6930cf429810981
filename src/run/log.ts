import pino, { type Logger } from "pino";

export type { Logger } from "pino";

export interface RunLog extends Disposable {
  readonly log: Logger;
}

/**
 * Writes a run's log as JSON lines to a file, and to stderr as well where the user wants to watch. The file is open until the log is
 * disposed of, after which nothing may be logged. The only home of pino.
 */
export function openLog(file: string, options: { readonly verbose: boolean }): RunLog {
  const streams = pino.multistream([
    { level: "debug", stream: pino.destination({ dest: file, sync: true }) },
    ...(options.verbose ? [{ level: "debug" as const, stream: pino.destination({ dest: 2, sync: true }) }] : []),
  ]);
  return {
    log: pino({ level: "debug", base: null }, streams),
    [Symbol.dispose]: () => streams.end(),
  };
}
