import { messageOf } from "../core/errors.ts";
import { adviceOn } from "../core/fault.ts";
import type { Terminal } from "./command.ts";

/** How many commands go on without a terminal. */
let outliving = 0;

/**
 * This process's streams. A reader that has gone away, as in `faraday … | head`, ends the process quietly, unless the command is to
 * {@link outliveTerminal}; what cannot be written for another reason ends it with a word on why.
 */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (outliving > 0) return;
      if (error.code === "EPIPE" || error.code === "EIO") {
        // A command that has just ended says next how.
        setImmediate(() => process.exit());
        return;
      }
      if (stream === stdout) stderr.write(`faraday: cannot write to stdout: ${messageOf(error)}${hint(error)}\n`);
      process.exit(1);
    });
  }
  return { stdin, stdout, stderr };
}

/** Until it is disposed, the end of the terminal (SIGHUP, streams that nobody reads any more) ends nothing: the work is on disk. */
export function outliveTerminal(): Disposable {
  const onHangUp = () => {};
  process.on("SIGHUP", onHangUp);
  outliving++;
  return {
    [Symbol.dispose]() {
      process.off("SIGHUP", onHangUp);
      outliving--;
    },
  };
}

function hint(error: unknown): string {
  const advice = adviceOn(error);
  return advice === null ? "" : `: ${advice}`;
}
