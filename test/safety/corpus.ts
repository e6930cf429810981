import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../src/config/load-config.ts";
import { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { SQLPolicy, type SQLPolicySettings } from "../../src/kernel/policies/sql-policy.ts";
import type { Hidden } from "./world-diff.ts";

/**
 * A statement, or a text of several, under one of the stated policies. `harmful`: unguarded, it has an effect that is not granted.
 * `harmless`: it has none. `attempt`: it asks for one and cannot have it.
 */
export interface CorpusLine {
  readonly id: string;
  readonly policy: string;
  readonly label: "harmful" | "harmless" | "attempt";
  /** Ungranted effects, any of which the kernel may name: `delete loans`, `read staff.salary`, `limit vmSteps`, … */
  readonly effects: readonly string[];
  readonly class: string;
  readonly sql: string;
  readonly note?: string;
}

const folder = fileURLToPath(new URL("../fixtures/sql-corpus/", import.meta.url));

export const libraryScript = `${folder}library.sql`;
export const corpus: readonly CorpusLine[] = readdirSync(folder)
  .filter((name) => name.endsWith(".jsonl"))
  .flatMap((name) =>
    readFileSync(folder + name, "utf8")
      .trim()
      .split("\n"),
  )
  .map((line) => JSON.parse(line) as CorpusLine);
export const policyNames: readonly string[] = [...new Set(corpus.map((line) => line.policy))];
export const hiddenBy = JSON.parse(readFileSync(`${folder}hidden.json`, "utf8")) as Readonly<Record<string, Hidden>>;

export function configFile(policy: string): string {
  return `${folder}${policy}.yaml`;
}

/** Lines once for each policy and text that are alike in what matters. */
export function linesOf(policy: string): readonly CorpusLine[] {
  return corpus.filter((line) => line.policy === policy);
}

/** A booted kernel for each stated policy. */
export async function bootKernels(): Promise<ReadonlyMap<string, KernelSpace>> {
  const booted = policyNames.map(async (policy) => {
    const { config } = await loadConfig({ file: configFile(policy), sets: [] });
    const kernel = new KernelSpace(config.kernel);
    await kernel.boot();
    return [policy, kernel] as const;
  });
  return new Map(await Promise.all(booted));
}

export function settingsOf(kernel: KernelSpace): SQLPolicySettings {
  const policy = kernel.policies.find((found) => found instanceof SQLPolicy);
  if (policy === undefined) throw new Error("the kernel has no SQL policy");
  return policy.settings;
}

/** Whether a rule that the kernel named is about one of the effects. */
export function names(rule: string, effects: readonly string[]): boolean {
  const named = rule.toLowerCase();
  return effects.some((effect) => {
    const expected = effect.toLowerCase();
    return named === expected || named === expected.split(" ")[0] || expected.startsWith(`${named}.`);
  });
}
