import { join } from "node:path";
import { expect, it } from "vitest";
import { openStore } from "../../src/index.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterConfig, chatterPolicy, freshFolder } from "./chatter.ts";

const model = { checkpoint: chatterPolicy() };

/** A training in which most episodes make two calls that are permitted and a third that is not, and what it has left. */
async function trained(calls: "each" | "together") {
  const out = join(freshFolder(), "run");
  const policies = [{ type: "budget", syscalls: 2 }];
  const config = chatterConfig({ model, kernel: { policies }, audit: { calls }, workers: 2 });
  expect(await faraday(["train", config, "--out", out, "--json"])).toMatchObject({ exitCode: 0 });
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  const episodes = await store.episodes("run");
  const spans = await store.spans("run");
  const stats = JSON.parse((await faraday(["store", "stats", `sqlite:${join(out, "faraday.db")}`, "--json"])).stdout);
  return { out, episodes, spans, stats };
}

it("a run whose calls are recorded together is stored, verified, shown and proved as any other", async () => {
  const [each, together] = [await trained("each"), await trained("together")];
  const told = ({ episodes }: typeof each) => episodes.map(({ worker: _, ...episode }) => episode);
  expect(together.episodes.some(({ violations }) => violations.length > 0)).toBe(true);
  expect(told(together)).toEqual(told(each));
  const named = ({ spans }: typeof each) =>
    spans.map(({ spanId, name, status }) => `${spanId} ${name} ${status}`).sort();
  expect(named(together)).toEqual(named(each));
  for (const { stats, spans } of [each, together]) expect(stats.spans).toBe(spans.length);
  expect(together.stats.auditRecords).toBeLessThan(each.stats.auditRecords);
  expect(JSON.parse((await faraday(["audit", "verify", together.out, "--json"])).stdout)).toMatchObject({
    ...{ ok: true, spans: together.spans.length },
  });
  const shown = (await faraday(["audit", "show", together.out, "--phase", "train", "--kind", "calls"])).stdout;
  expect(shown).toMatch(/ calls 0 to 1 {2}allow, completed {2}chat\.say \[\{"text":/);
  const episode = together.episodes.find(({ stepCount }) => stepCount === 3)?.key.id ?? "";
  const proof = join(together.out, "proof.json");
  expect(await faraday(["audit", "prove", together.out, episode, "--out", proof])).toMatchObject({ exitCode: 0 });
  expect(await faraday(["audit", "verify", "--proof", proof])).toMatchObject({ exitCode: 0 });
}, 240_000);
