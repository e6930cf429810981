import type { Trajectory } from "../core/trajectory.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { ExportedMessage } from "./exported-episode.ts";

/**
 * What was said, from what the policy model read and wrote: every run of chosen tokens is an action, every run of given ones what it was
 * shown. An observation is as long as the model read it, not as the environment gave it.
 */
export function conversationOf({ tokens, chosen }: Trajectory, tokenizer: Tokenizer): readonly ExportedMessage[] {
  const messages: ExportedMessage[] = [];
  for (let start = 0, end = 0; start < tokens.length; start = end) {
    const flag = chosen[start];
    while (end < tokens.length && chosen[end] === flag) end++;
    const content = tokenizer.decode(tokens.subarray(start, end));
    messages.push({ role: flag === 1 ? "assistant" : "user", content });
  }
  return messages;
}
