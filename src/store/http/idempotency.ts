import type { AskOnce } from "../rollout-queue.ts";
import { HttpError } from "./http-error.ts";
import type { Call } from "./route.ts";

/** As the IETF's draft of that name has it. Clients of the reference send none. */
export const idempotencyHeader = "idempotency-key";

const lengthMax = 255;

/** @throws {HttpError} 400 for a key that is empty or too long. */
export function askOnce({ headers }: Pick<Call, "headers">): AskOnce {
  const key = headers[idempotencyHeader];
  if (key === undefined) return {};
  if (typeof key !== "string" || key === "" || key.length > lengthMax) {
    throw new HttpError(400, `Idempotency-Key must have 1 to ${lengthMax} characters`);
  }
  return { idempotencyKey: key };
}
