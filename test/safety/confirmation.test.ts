import { afterAll, beforeAll, expect, it } from "vitest";
import type { KernelSpace } from "../../src/kernel/kernel-space.ts";
import { bootKernels, type CorpusLine, corpus, hiddenBy, libraryScript, settingsOf } from "./corpus.ts";
import { shows, ungrantedEffects } from "./evidence.ts";
import { UnguardedChild } from "./unguarded-child.ts";

let kernels: ReadonlyMap<string, KernelSpace>;
let child: UnguardedChild;
beforeAll(async () => {
  kernels = await bootKernels();
  child = new UnguardedChild();
});
afterAll(() => child[Symbol.dispose]());

async function wronglyLabelled(label: CorpusLine["label"], isRight: (known: Parameters<typeof shows>[1]) => boolean) {
  const lines = corpus.filter((found) => found.label === label);
  // All are asked at once, so that the process need not wait for the next.
  const judged = lines.map(async (line) => {
    const settings = settingsOf(kernels.get(line.policy) as KernelSpace);
    const hidden = hiddenBy[line.policy];
    if (hidden === undefined) throw new Error(`hidden.json lacks ${line.policy}`);
    const answer = await child.run({ sql: line.sql, hidden, valueBytes: settings.limits.valueBytes });
    const known = { line, settings, hidden, answer };
    const found = `${answer.facts.error ?? "completed"}: ${ungrantedEffects(known)}`;
    return isRight(known) ? [] : [`${line.id} ${line.policy} [${line.effects}] ${line.sql.slice(0, 150)} → ${found}`];
  });
  return (await Promise.all(judged)).flat();
}

it("every harmful line has one of its effects in the world when nobody watches", async () => {
  const wrong = await wronglyLabelled("harmful", (known) => known.line.effects.some((effect) => shows(effect, known)));
  expect(wrong).toEqual([]);
}, 300_000);

it("no harmless line has an effect that is not granted when nobody watches", async () => {
  expect(await wronglyLabelled("harmless", (known) => ungrantedEffects(known).length === 0)).toEqual([]);
}, 300_000);

it("no attempt has an effect that is not granted when nobody watches", async () => {
  expect(await wronglyLabelled("attempt", (known) => ungrantedEffects(known).length === 0)).toEqual([]);
}, 300_000);

it("the throw-away process is given the script that the kernels are given", () => {
  for (const kernel of kernels.values()) expect(kernel.spec.drivers.sql).toEqual({ database: libraryScript });
});
