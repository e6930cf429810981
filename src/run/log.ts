import pino, { type Logger } from "pino";

export type { Logger } from "pino";

/**
 * Writes a run's log as JSON lines to a file, and to stderr as well where the user wants to watch. The only home of pino. What cannot be
 * written is lost, and ends nothing: the events beside it say the same, and theirs does.
 */
export function openLog(file: string, options: { readonly verbose: boolean }): Logger & Disposable {
  const kept = destination(file);
  const streams = [kept, ...(options.verbose ? [destination(2)] : [])].map((stream) => ({
    level: "debug" as const,
    stream,
  }));
  const logger = pino({ level: "debug", base: null }, pino.multistream(streams));
  return Object.assign(logger, { [Symbol.dispose]: () => kept.end() });
}

function destination(dest: string | number) {
  return pino.destination({ dest, sync: true }).on("error", () => {});
}
