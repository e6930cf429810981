import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { openStore } from "../../src/index.ts";
import type { StoredEpisode } from "../../src/store/lightning-store.ts";
import type { OtlpSpan } from "../../src/store/otlp/read-span.ts";
import type { Span } from "../../src/store/span.ts";
import { faraday } from "../commands/run-cli.ts";
import { chatterConfig, chatterPolicy, runChatter } from "../run/chatter.ts";
import { openReceiver } from "./receiver.ts";

afterEach(() => vi.unstubAllEnvs());

async function stored(
  out: string,
): Promise<{ readonly episodes: readonly StoredEpisode[]; readonly spans: readonly Span[] }> {
  await using store = await openStore("sqlite:faraday.db", { baseDir: out, mustExist: true });
  return { episodes: await store.episodes("run"), spans: await store.spans("run") };
}

const named = (spans: readonly OtlpSpan[], name: string) => spans.filter((span) => span.name === name);

it("every rollout, syscall, violation, reward and update of a run arrives, once, under the ids of the store", async () => {
  await using receiver = await openReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `${receiver.address}/`);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=a%20secret");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=other");
  vi.stubEnv("OTEL_SERVICE_NAME", "trainer");
  const startedAt = Date.now() / 1000;
  const { out } = await runChatter();
  const { episodes, spans: own } = await stored(out);
  const { spans, received } = receiver;
  expect(new Set(received.map(({ url }) => url))).toEqual(new Set(["/v1/traces"]));
  expect(received[0]?.headers).toMatchObject({ "x-key": "a secret", "content-type": "application/x-protobuf" });
  expect(received[0]?.resource).toEqual({ "deployment.environment.name": "test", "service.name": "trainer" });

  const byId = new Map(spans.map((span) => [span.span_id, span]));
  expect(byId.size).toBe(spans.length);
  for (const { spanId, traceId, parentId, name, attributes } of own) {
    expect(byId.get(spanId)).toMatchObject({ trace_id: traceId, parent_id: parentId, name, attributes });
  }
  expect(named(spans, "invoke_agent")).toHaveLength(episodes.length);
  const violations = episodes.flatMap((episode) => episode.violations);
  expect(violations.length).toBeGreaterThan(0);
  expect(named(spans, "agent_os.violation")).toHaveLength(violations.length);
  expectRewards(spans, episodes);

  const [root, ...others] = named(spans, "invoke_workflow");
  expect(others).toEqual([]);
  expect(root?.attributes).toMatchObject({ "faraday.run": "run", "faraday.status": "succeeded" });
  const updates = named(spans, "faraday.update");
  expect(updates.map(({ attributes }) => attributes["faraday.iteration"])).toEqual([1, 2]);
  for (const { parent_id, attributes } of updates) {
    expect(parent_id).toBe(root?.span_id);
    expect(attributes).toMatchObject({ "faraday.weights.sha256": expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(Object.keys(attributes).filter((key) => key.startsWith("faraday.metric.")).length).toBeGreaterThan(0);
  }
  for (const { links } of named(spans, "invoke_agent")) expect(links[0]?.context.span_id).toBe(root?.span_id);

  expectTimes(spans, { from: startedAt - 0.1, to: Date.now() / 1000 + 0.1 });
  // Nothing that an agent wrote, unless it is asked for.
  expect(spans.some(({ attributes }) => "gen_ai.tool.call.arguments" in attributes)).toBe(false);
});

function expectRewards(spans: readonly OtlpSpan[], episodes: readonly StoredEpisode[]): void {
  const results = named(spans, "gen_ai.evaluation.result");
  const agents = new Map(named(spans, "invoke_agent").map((span) => [span.span_id, span]));
  const told = new Map(
    results.map(({ parent_id, attributes }) => {
      const episode = agents.get(parent_id ?? "")?.attributes["gen_ai.conversation.id"];
      return [`${episode} ${attributes["gen_ai.evaluation.name"]}`, attributes["gen_ai.evaluation.score.value"]];
    }),
  );
  const expected = episodes.flatMap(({ key: { id }, reward, cost, scalarReward }) => [
    [`${id} reward`, reward] as const,
    [`${id} cost`, cost] as const,
    [`${id} scalar_reward`, scalarReward] as const,
  ]);
  expect(told).toEqual(new Map(expected));
}

/** Real ones: a child lies in its parent, and syscalls of an episode follow each other. */
function expectTimes(spans: readonly OtlpSpan[], { from, to }: { readonly from: number; readonly to: number }): void {
  const byId = new Map(spans.map((span) => [span.span_id, span]));
  for (const { start_time: start, end_time: end, parent_id } of spans) {
    expect(start).toBeGreaterThan(from);
    expect(end).toBeGreaterThanOrEqual(start ?? 0);
    expect(end).toBeLessThan(to);
    const parent = byId.get(parent_id ?? "");
    if (parent === undefined) continue;
    expect(start).toBeGreaterThanOrEqual(parent.start_time ?? 0);
    expect(end).toBeLessThanOrEqual(parent.end_time ?? 0);
  }
  const starts = new Set(spans.filter(({ name }) => name.startsWith("execute_tool")).map((span) => span.start_time));
  expect(starts.size).toBeGreaterThan(10);
}

it("an evaluation tells of its episodes too, each evaluation in traces of its own", async () => {
  await using receiver = await openReceiver();
  const line = ["eval", chatterPolicy(), "--config", chatterConfig(), "--episodes", "4", "--json"];
  const quiet = await faraday(line);
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address);
  const [one, other] = [await faraday(line), await faraday(line)];
  expect([one.exitCode, one.stderr, one.stdout]).toEqual([0, "", quiet.stdout]);
  expect(other.stdout).toBe(quiet.stdout);
  const { spans } = receiver;
  expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(spans.length);
  const [root, again, ...others] = named(spans, "invoke_workflow");
  expect(others).toEqual([]);
  expect(root?.attributes).toMatchObject({ "gen_ai.workflow.name": "faraday.eval", "faraday.status": "succeeded" });
  expect(root?.trace_id).not.toBe(again?.trace_id);
  const agents = named(spans, "invoke_agent");
  expect(agents).toHaveLength(8);
  expect(agents[0]?.attributes).toMatchObject({ "faraday.phase": "eval" });
  expect(named(spans, "gen_ai.evaluation.result")).toHaveLength(24);
  expectTimes(spans, { from: 0, to: Date.now() / 1000 + 0.1 });
});

it("arguments are sent where they are asked for", async () => {
  await using receiver = await openReceiver();
  vi.stubEnv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", `${receiver.address}/here`);
  vi.stubEnv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true");
  await runChatter({ train: { iterations: 1, evalEpisodes: 2 } });
  expect(receiver.received[0]?.url).toBe("/here");
  const tools = named(receiver.spans, "execute_tool chat.say");
  expect(tools.length).toBeGreaterThan(0);
  for (const { attributes } of tools) {
    expect(JSON.parse(String(attributes["gen_ai.tool.call.arguments"]))).toEqual({ text: expect.any(String) });
  }
});

it("an endpoint that refuses changes nothing of a run, and is told of once, with what was lost", async () => {
  await using receiver = await openReceiver(() => ({ status: 400 }));
  const train = { iterations: 1, evalEpisodes: 2 };
  const quiet = await runChatter({ train });
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address);
  const watched = await runChatter({ train });
  expect(watched.report.status).toBe("succeeded");
  const weights = (out: string) => readFileSync(join(out, "checkpoints/1/model.safetensors"));
  expect(weights(watched.out)).toEqual(weights(quiet.out));
  const events = readFileSync(join(watched.out, "events.jsonl"), "utf8").trimEnd().split("\n");
  const told = events.map((line) => JSON.parse(line)).filter(({ type }) => type === "telemetry-warning");
  expect(told.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^telemetry: spans are dropped, http:.*\/v1\/traces: it answered 400$/),
    expect.stringMatching(/^telemetry: 0 spans were sent, \d+ were dropped$/),
  ]);
});
