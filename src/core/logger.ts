import { canonicalJson } from "./canonical-json.ts";

/** What is worth telling a person who runs the program; nothing depends on it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Warnings and errors go to stderr, a line each; the rest is dropped. */
export const stderrLogger: Logger = {
  debug() {},
  info() {},
  warning: (message, fields) => write("warning", message, fields),
  error: (message, fields) => write("error", message, fields),
};

function write(level: string, message: string, fields: LogFields = {}): void {
  const told = Object.entries(fields).map(([name, value]) => ` ${name}=${printed(value)}`);
  process.stderr.write(`faraday: ${level}: ${message}${told.join("")}\n`);
}

function printed(value: unknown): string {
  try {
    return value instanceof Error ? (value.stack ?? value.message) : canonicalJson(value);
  } catch {
    return "(cannot be shown)";
  }
}
