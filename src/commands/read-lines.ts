import { addAbortSignal, type Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * The lines of a stream of UTF-8, without their line feed or CRLF; ends early once the signal is aborted. Unlike `node:readline`, it takes no
 * U+2028 or U+2029 for the end of a line: JSON texts may hold them.
 */
export async function* readLines(input: Readable, signal: AbortSignal): AsyncGenerator<string> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  try {
    for await (const chunk of addAbortSignal(signal, input)) {
      const lines = (rest + (typeof chunk === "string" ? chunk : decoder.write(chunk))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield withoutReturn(line);
    }
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  rest += decoder.end();
  if (rest !== "") yield withoutReturn(rest);
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
