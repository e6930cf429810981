import { messageOf } from "../core/errors.ts";

/** SQL that may fail, as it may have failed for the agent; its message, or `null`. */
export function attempt(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
