import { canonicalJson } from "../core/canonical-json.ts";
import type { FlightEntry } from "./flight-entry.ts";
import { LightningSpan } from "./lightning-span.ts";
import type { Redact } from "./redact.ts";
import { spanIdOf, traceIdOf } from "./span-id.ts";

export interface SpanMakerOptions {
  /** Distinguishes the traces of several runs with equal agents. */
  readonly run: string;
  readonly traceIdPrefix: string;
  readonly redact: Redact;
}

/** Characters of arguments and results that are kept. */
const argumentMax = 1_000;

/**
 * The span of one entry.
 * @param place `count`: how many entries came before it; `now`: its time, where it has none of its own.
 * @throws where the entry cannot be converted.
 */
export function spanOfEntry(
  entry: FlightEntry,
  place: { readonly count: number; readonly now: Date },
  { run, traceIdPrefix, redact }: SpanMakerOptions,
): LightningSpan {
  const time = timeOf(entry.timestamp, place.now);
  const traceId = traceIdOf(run, `${traceIdPrefix}-${entry.agentId}`);
  const part = entry.id ?? entry.entryId;
  const kept = (value: unknown) => cleaned(value, redact);
  return new LightningSpan({
    spanId: spanIdOf(traceId, "", part === undefined ? `count ${place.count}` : `entry ${part}`),
    traceId,
    name: `agent_os.${entry.type}`,
    startTime: time,
    endTime: time,
    attributes: {
      ...metadataOf(entry, kept),
      "agent_os.entry_type": entry.type,
      "agent_os.agent_id": entry.agentId,
      "agent_os.trace_id_prefix": traceIdPrefix,
      "agent_os.trace": `${traceIdPrefix}-${entry.agentId}`,
      ...ownAttributes(entry, kept),
    },
  });
}

type Keep = (value: unknown) => unknown;

function ownAttributes(entry: FlightEntry, kept: Keep): Readonly<Record<string, unknown>> {
  switch (entry.type) {
    case "policy_check":
      return {
        "agent_os.policy_name": kept(entry.policyName ?? "unknown"),
        "agent_os.policy_result": kept(entry.policyResult ?? "unknown"),
        "agent_os.policy_violated": entry.policyViolated ?? false,
      };
    case "signal":
      return {
        "agent_os.signal_type": kept(entry.signalType ?? "unknown"),
        "agent_os.signal_target": kept(entry.signalTarget ?? entry.agentId),
      };
    case "tool_call":
      return {
        "agent_os.tool_name": kept(entry.toolName ?? "unknown"),
        "agent_os.tool_args": shortened(textOf(kept(entry.toolArgs))),
        "agent_os.tool_result": shortened(textOf(kept(entry.toolResult))),
      };
    default:
      return {};
  }
}

/** Metadata never replaces what the entry itself says. */
function metadataOf({ metadata = {} }: FlightEntry, kept: Keep): Readonly<Record<string, unknown>> {
  const cleaned = kept(metadata) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.entries(cleaned).map(([key, value]) => [`agent_os.${key}`, value]));
}

const depthMax = 32;

/**
 * A value with every text in it redacted, whole: half a secret has no shape any more, so this comes before shortening. What has a
 * secret's name is removed whatever it is. A redactor that throws leaves nothing.
 */
function cleaned(value: unknown, redact: Redact, depth = 0): unknown {
  if (typeof value === "string") return redacted(value, redact);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (depth >= depthMax) return "[too deep]";
  if (Array.isArray(value)) return value.map((item) => cleaned(item, redact, depth + 1));
  const fields = Object.entries(value).map(([key, field]) => {
    const named = `"${key}":"xxxxxxxx"`;
    return [key, redacted(named, redact) === named ? cleaned(field, redact, depth + 1) : "[redacted]"] as const;
  });
  return Object.fromEntries(fields);
}

function redacted(text: string, redact: Redact): string {
  try {
    return redact(text);
  } catch {
    return "[redaction failed]";
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : canonicalJson(value ?? null);
}

function shortened(text: string): string {
  return text.slice(0, argumentMax);
}

function timeOf(timestamp: FlightEntry["timestamp"], now: Date): Date {
  const time = timestamp === undefined ? now : new Date(timestamp);
  if (Number.isNaN(time.getTime())) throw new RangeError(`a timestamp must be a date, got ${String(timestamp)}`);
  return time;
}
