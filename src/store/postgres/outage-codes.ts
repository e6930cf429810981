import { OutageError } from "../sql/outage.ts";
import { codeOf } from "./error-code.ts";

/** Class 08, connection exceptions; admin_shutdown, crash_shutdown, cannot_connect_now; too_many_connections. */
const sqlStates = /^(?:08...|57P0[123]|53300)$/;

/** What the system says of a connection, errno(3). */
const systemCodes: readonly unknown[] = [
  ...["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
  ...["ENOTFOUND", "EAI_AGAIN", "ENOENT"],
];

/** What the client says, which has no codes of its own. */
const clientMessages =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed)/;

/** The error, or that the server went away where that is what it tells. */
export function asOutage(error: unknown, mayBeDone: boolean): unknown {
  return isOutage(error) ? new OutageError(error, mayBeDone) : error;
}

function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  if (typeof code === "string" && (sqlStates.test(code) || systemCodes.includes(code))) return true;
  return error instanceof Error && clientMessages.test(error.message);
}
