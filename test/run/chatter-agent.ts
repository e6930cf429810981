import { z } from "zod";
import { defineAgent } from "../../src/core/agent.ts";

export const moods = ["plain", "waits", "throws", "rejects", "silent", "deaf", "loops", "rubbish", "broken"] as const;

/** Says `a` twice, at once or after a while, or breaks. */
export default defineAgent({
  name: "chatterer",
  options: z.strictObject({ mood: z.enum(moods).default("plain") }),
  load({ mood }) {
    return ({ id }) => {
      if (mood === "broken") throw new Error("no agent today");
      return {
        act(_observation, { step, signal }) {
          const said = step < 2 ? { syscall: "chat.say", args: { text: "a" } } : null;
          if (mood === "throws") throw new Error("I would rather not");
          if (mood === "rejects") return Promise.reject(new Error("the line is dead"));
          if (mood === "silent") return new Promise((_, reject) => signal.addEventListener("abort", reject));
          if (mood === "deaf") return new Promise(() => {});
          if (mood === "loops" && id === "talk-0") for (;;);
          if (mood === "rubbish") return { nothing: 1 } as never;
          return mood === "waits" ? new Promise((resolve) => setTimeout(resolve, 5, said)) : said;
        },
      };
    };
  },
});
