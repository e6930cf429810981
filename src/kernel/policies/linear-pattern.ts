import { setFlagsFromString } from "node:v8";
import { messageOf } from "../../core/errors.ts";

const lengthMax = 1_000;
let enabled = false;

/**
 * A regular expression that V8 runs in time linear in its input, whatever it is: such as would need backtracking are errors
 * here. It knows no flags, lookaround or backreferences, and no large counted repetition.
 * @throws {Error} where it is none, is too long, or cannot run in linear time.
 */
export function linearPattern(source: string): RegExp {
  if (source.length > lengthMax)
    throw new Error(`must be at most ${lengthMax} characters, got ${source.length} characters`);
  if (!enabled) setFlagsFromString("--enable-experimental-regexp-engine");
  enabled = true;
  try {
    return new RegExp(source, "lg");
  } catch (error) {
    throw new Error(`must be a regular expression that runs in linear time, got ${source}: ${messageOf(error)}`);
  }
}

/** What is wrong with the source of a pattern, or `null`. */
export function patternFault(source: string): string | null {
  try {
    linearPattern(source);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
