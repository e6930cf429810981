import { doneId, endId } from "../model/tokenizer.ts";
import type { GoldAnswers } from "./episode-format.ts";
import type { ExportedEpisode } from "./exported-episode.ts";
import { saidIn } from "./trl.ts";

/** Makes the lines of a verifiers `results.jsonl`. Tasks are numbered as they come, since `example_id` must be a whole number. */
export function verifiersResults(answers: GoldAnswers): (episode: ExportedEpisode) => unknown {
  const ids = new Map<string, number>();
  return (episode) => {
    const id = ids.get(episode.task) ?? ids.size;
    ids.set(episode.task, id);
    return resultOf(episode, { example_id: id, answer: answers.get(episode.task) ?? "" });
  };
}

function resultOf(
  episode: ExportedEpisode,
  { example_id, answer }: { readonly example_id: number; readonly answer: string },
) {
  const { outcome, error, stored_at } = episode;
  return {
    example_id,
    ...saidIn(episode),
    answer,
    task: episode.task,
    info: infoOf(episode),
    reward: episode.scalar_reward,
    metrics: metricsOf(episode),
    is_completed: true,
    is_truncated: isTruncated(episode),
    stop_condition: outcome,
    error: error === null ? null : { error: outcome, error_chain_repr: error, error_chain_str: error },
    // Recorders have no clock: when the batch was stored, in seconds.
    timing: { start_time: stored_at / 1000 },
    token_usage: usageOf(episode),
    tool_defs: null,
  };
}

function infoOf({ run, episode, phase, iteration, group_index, episode_index, split, ...rest }: ExportedEpisode) {
  const { seed, weights, attempt, advantage, violations } = rest;
  return {
    ...{ run, episode, phase, iteration, group_index, episode_index, split, seed, weights, attempt },
    ...{ advantage, violations },
  };
}

function metricsOf({ reward, cost, success, steps, violations }: ExportedEpisode) {
  return { task_reward: reward, cost, success: Number(success), num_turns: steps, violations: violations.length };
}

function usageOf({ chosen }: ExportedEpisode) {
  const output = (chosen ?? []).filter((flag) => flag).length;
  return { input_tokens: (chosen ?? []).length - output, output_tokens: output };
}

/** Whether the context was full in the middle of an action. */
function isTruncated({ chosen, tokens }: ExportedEpisode): boolean {
  const last = tokens?.at(-1);
  return chosen?.at(-1) === true && last !== endId && last !== doneId;
}
