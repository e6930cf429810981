import type { ExportedEpisode, ExportedMessage } from "./exported-episode.ts";

/** Columns beside those that TRL's trainers read: they are there to filter by, and for reward functions. */
interface Extra {
  readonly episode: string;
  readonly task: string;
  readonly reward: number;
  readonly task_reward: number;
  readonly cost: number;
  readonly advantage: number | null;
}

/** TRL's conversational language modelling: what `SFTTrainer` reads. */
export function trlMessages(episode: ExportedEpisode): Extra & { readonly messages: readonly ExportedMessage[] } {
  return { messages: episode.messages ?? [], ...extraOf(episode) };
}

/** TRL's conversational prompt-completion: the first message, and all that followed. */
export function trlCompletion(episode: ExportedEpisode): Extra & Said {
  return { ...saidIn(episode), ...extraOf(episode) };
}

/**
 * TRL's conversational preference: the best and the worst episode of each group by scalar reward, where they differ and the best has no violation.
 * Of equals the first counts.
 */
export function* trlPreferences(episodes: readonly ExportedEpisode[]): Generator<unknown> {
  const groups = Map.groupBy(episodes, ({ phase, iteration, group_index, task }) =>
    JSON.stringify([phase, iteration, group_index, task]),
  );
  for (const group of groups.values()) {
    const best = group.reduce((one, other) => (other.scalar_reward > one.scalar_reward ? other : one));
    const worst = group.reduce((one, other) => (other.scalar_reward < one.scalar_reward ? other : one));
    if (best.scalar_reward === worst.scalar_reward || best.violations.length > 0) continue;
    const { prompt, completion: chosen } = saidIn(best);
    yield {
      ...{ prompt, chosen, rejected: saidIn(worst).completion },
      ...{ task: best.task, chosen_episode: best.episode, rejected_episode: worst.episode },
      ...{ chosen_reward: best.scalar_reward, rejected_reward: worst.scalar_reward },
    };
  }
}

interface Said {
  readonly prompt: readonly ExportedMessage[];
  readonly completion: readonly ExportedMessage[];
}

/** The task's message, and all after it. */
export function saidIn({ messages }: ExportedEpisode): Said {
  return { prompt: (messages ?? []).slice(0, 1), completion: (messages ?? []).slice(1) };
}

function extraOf({ episode, task, scalar_reward, reward, cost, advantage }: ExportedEpisode): Extra {
  return { episode, task, reward: scalar_reward, task_reward: reward, cost, advantage };
}
