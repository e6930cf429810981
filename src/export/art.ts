import { doneId, endId } from "../model/tokenizer.ts";
import type { ExportedEpisode } from "./exported-episode.ts";

/** ART's trajectory groups: the episodes of one group to a line, as `TrajectoryGroup` has them. */
export function* artGroups(episodes: readonly ExportedEpisode[]): Generator<unknown> {
  const groups = Map.groupBy(episodes, ({ phase, iteration, group_index }) =>
    JSON.stringify([phase, iteration, group_index]),
  );
  for (const group of groups.values()) yield { trajectories: group.map(trajectoryOf) };
}

function trajectoryOf(episode: ExportedEpisode) {
  const { reward, cost, success, steps, violations, advantage } = episode;
  const { run, phase, iteration, group_index, task, split, seed, weights, outcome } = episode;
  return {
    messages_and_choices: messagesAndChoices(episode),
    tools: null,
    reward: episode.scalar_reward,
    initial_policy_version: weights,
    final_policy_version: weights,
    metrics: { task_reward: reward, cost, success: Number(success), steps, violations: violations.length },
    metadata: {
      ...{
        run,
        episode: episode.episode,
        phase,
        iteration,
        group_index,
        task,
        split,
        seed,
        weights,
        outcome,
        advantage,
      },
    },
    additional_histories: [],
    logs: violations.map(({ severity, policy, rule, statement }) => `${severity} ${policy} ${rule}: ${statement}`),
  };
}

/** What the user says is a message; what the policy model chose is a choice with its tokens, which ART trains on. */
function messagesAndChoices({ messages, tokens, chosen, log_probabilities }: ExportedEpisode): readonly unknown[] {
  let at = 0;
  return (messages ?? []).map((message) => {
    const start = at;
    while (at < (chosen?.length ?? 0) && chosen?.[at] === (message.role === "assistant")) at++;
    if (message.role === "user") return message;
    const ids = (tokens ?? []).slice(start, at);
    const content = ids.map((id, index) => ({
      ...{ token: `token_id:${id}`, logprob: log_probabilities?.[start + index] ?? 0, bytes: null, top_logprobs: [] },
    }));
    const isWhole = ids.at(-1) === endId || ids.at(-1) === doneId;
    return { finish_reason: isWhole ? "stop" : "length", index: 0, logprobs: { content, refusal: null }, message };
  });
}
