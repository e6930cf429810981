import type { CustomJudge } from "../../src/index.ts";

/** Escalates every text of the chatter agent that is longer than `max`. */
export default function policy({ max }: { readonly max: number }): CustomJudge {
  return {
    before: ({ syscall, args }) =>
      syscall === "chat.say" && String(args.text).length > max
        ? { decision: "escalate", rule: "long", severity: "low" }
        : null,
  };
}
