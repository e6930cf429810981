import { hash } from "node:crypto";
import type { Split } from "../../core/env.ts";
import { queryTemplate } from "./query-text.ts";
import type { Question } from "./question.ts";

/**
 * How questions are split: `given` as the data set says; `question` at random by question, so that a question is never in two splits;
 * `query` by the query without its literals, so that no query of the test split was trained on; `auto` as given, else by question.
 */
export const splitModes = ["auto", "given", "question", "query"] as const;
export type SplitMode = (typeof splitModes)[number];

const testShare = 0.2;
const valShare = 0.1;

/** `exclude` where the data set leaves the question out, `undefined` where the mode is `given` and it says nothing. */
export function splitOf(question: Question, mode: SplitMode): Split | "exclude" | undefined {
  if (question.split === "exclude") return "exclude";
  if (mode === "query") return question.querySplit ?? splitByHash(queryTemplate(question.query));
  if (mode === "question") return splitByHash(question.question.trim().toLowerCase());
  if (question.split !== undefined) return question.split;
  return mode === "given" ? undefined : splitByHash(question.question.trim().toLowerCase());
}

/** The same text falls into the same split wherever it is imported. */
function splitByHash(text: string): Split {
  const share = Number.parseInt(hash("sha256", text, "hex").slice(0, 8), 16) / 0x1_0000_0000;
  return share < testShare ? "test" : share < testShare + valShare ? "val" : "train";
}
