import pino, { type Logger } from "pino";

export type { Logger } from "pino";

/** Writes a run's log as JSON lines to a file, and to stderr as well where the user wants to watch. The only home of pino. */
export function openLog(file: string, options: { readonly verbose: boolean }): Logger {
  const streams = [
    { level: "debug" as const, stream: pino.destination({ dest: file, sync: true }) },
    ...(options.verbose ? [{ level: "debug" as const, stream: pino.destination({ dest: 2, sync: true }) }] : []),
  ];
  return pino({ level: "debug", base: null }, pino.multistream(streams));
}
