import type { Split } from "../../core/env.ts";

/** A question and its query, as a data set has them. */
export interface Question {
  readonly question: string;
  readonly query: string;
  /** Name of the database that it is about, where the data set says it. */
  readonly database?: string | undefined;
  /** Its split by question, where the data set says it; `exclude` where it asks to be left out. */
  readonly split?: Split | "exclude" | undefined;
  /** Its split by query: no query of the test split, whatever its literals, is one of the training split. */
  readonly querySplit?: Split | "exclude" | undefined;
}

const named: Readonly<Record<string, Split>> = {
  ...{ train: "train", training: "train" },
  ...{ val: "val", dev: "val", valid: "val", validation: "val" },
  ...{ test: "test", testing: "test" },
};

/**
 * The split that a data set's word means, `undefined` where it means none. Folds of a cross-validation, `0` to `9`, are
 * training up to 6, then validation, then two of test.
 */
export function splitNamed(word: unknown): Split | "exclude" | undefined {
  if (typeof word !== "string" && typeof word !== "number") return undefined;
  const text = String(word).trim().toLowerCase();
  if (text === "exclude") return "exclude";
  if (/^\d$/.test(text)) return Number(text) < 7 ? "train" : Number(text) < 8 ? "val" : "test";
  return Object.hasOwn(named, text) ? named[text] : undefined;
}
