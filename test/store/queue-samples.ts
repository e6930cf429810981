import type { RolloutSpan } from "../../src/store/rollout-span.ts";

/** A span of an attempt, with everything that a span can have. */
export function sampleSpan(
  owner: { readonly rollout_id: string; readonly attempt_id: string },
  changes: Partial<RolloutSpan> = {},
): RolloutSpan {
  const { rollout_id, attempt_id } = owner;
  const trace_id = "0af7651916cd43dd8448eb211c80319c";
  const span_id = "b7ad6b7169203331";
  const context = { trace_id, span_id, is_remote: false, trace_state: { vendor: "value" } };
  return {
    ...{ rollout_id, attempt_id, sequence_id: 1, trace_id, span_id, parent_id: null, name: "agent" },
    status: { status_code: "OK", description: null },
    attributes: { "gen_ai.usage.input_tokens": 12, ok: true, names: ["a", "b"], text: "Zürich \u0000 🌩" },
    events: [{ name: "log", attributes: { line: 1 }, timestamp: 1.5 }],
    links: [{ context, attributes: null }],
    ...{ start_time: 1_700_000_000.25, end_time: null, context, parent: null },
    resource: { attributes: { "service.name": "agent" }, schema_url: "" },
    ...changes,
  };
}

/** 16 hexadecimal digits. */
export function spanId(index: number): string {
  return (index + 1).toString(16).padStart(16, "0");
}
