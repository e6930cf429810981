import { once } from "node:events";
import type { ExportOutput } from "../export/output.ts";
import type { Output } from "./command.ts";

/** A stream of the process as the place of an export; what is written cannot be taken back. */
export function streamOutput(stream: Output): ExportOutput {
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    async write(text) {
      bytes += Buffer.byteLength(text);
      const taken = stream.write(typeof text === "string" ? text : Buffer.from(text).toString());
      // A reader that is slower than the store must not fill the memory.
      if (taken === false && isEmitter(stream)) await once(stream, "drain");
    },
    keep: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function isEmitter(stream: Output): stream is Output & NodeJS.EventEmitter {
  return "once" in stream && typeof stream.once === "function";
}
