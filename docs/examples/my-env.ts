import { defineEnv, type EnvironmentEpisode, type Task } from "faraday-rl";
import { z } from "zod";

const rooms = ["kitchen", "office", "bedroom", "hall", "studio", "attic"];

interface HeatingTask extends Task {
  readonly room: string;
  readonly degrees: number;
}

/** An agent that heats rooms. Its config permits two syscalls an episode, but the demonstrators like small steps. */
export default defineEnv({
  name: "heating",
  options: z.strictObject({ start: z.int().min(5).max(20).default(18) }),
  load: ({ start }) => ({
    tasks: Array.from({ length: 48 }, (_, index) => request(index, start)),
    maxTurns: 4,
    start: (task) => heat(task as HeatingTask, start),
  }),
});

function heat({ prompt, room, degrees }: HeatingTask, start: number): EnvironmentEpisode {
  const heatOf = new Map(rooms.map((name) => [name, start]));
  const change = (name: unknown, to: (now: number) => number) => {
    const now = heatOf.get(String(name));
    if (now === undefined) throw new Error(`there is no room ${name}`);
    heatOf.set(String(name), to(now));
  };
  return {
    observation: prompt,
    drivers: {
      heating: {
        operations: {
          set: (args) => change(args.room, () => Number(args.degrees)),
          warmer: (args) => change(args.room, (now) => now + 1),
        },
      },
    },
    parse(action) {
      const [verb = "", name = "", number = ""] = action.trim().split(/\s+/);
      return verb === "" ? null : { syscall: `heating.${verb}`, args: { room: name, degrees: number } };
    },
    step: ({ outcome }) => ({ observation: outcome, done: heatOf.get(room) === degrees }),
    score() {
      const success = [...heatOf].every(([name, now]) => now === (name === room ? degrees : start));
      return { success, reward: success ? 1 : 0 };
    },
  };
}

/** Two of five demonstrators heat in single steps, of which the third is one too many. */
function request(index: number, start: number): HeatingTask {
  const room = rooms[index % 6] ?? "hall";
  const rise = 1 + (Math.floor(index / 6) % 4);
  const degrees = start + rise;
  const prompt = index < 24 ? `Heat the ${room} to ${degrees} degrees.` : `Make the ${room} ${degrees} degrees warm.`;
  const demo = index % 5 < 2 ? Array<string>(rise).fill(`warmer ${room}`) : [`set ${room} ${degrees}`];
  return { id: `heat-${index}`, prompt, split: index % 7 === 0 ? "test" : "train", demo, room, degrees };
}
