import { messageOf } from "../core/errors.ts";

/** What the standard environment variables of OpenTelemetry say, as far as it is ours to follow. */
export interface OtelSettings {
  /** Where traces are posted to. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of one request. */
  readonly timeoutMs: number;
  readonly gzip: boolean;
  /** Describes the process, `service.name` included. */
  readonly resource: Readonly<Record<string, string>>;
  /** Whether spans carry the arguments of syscalls. */
  readonly captureContent: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const timeoutDefaultMs = 10_000;
const captureValues = ["true", "span_only", "span_and_event"];

/**
 * Reads them; `null` where traces are not asked for. What is wrong is told and passed over, as the specification wants it: telemetry never
 * keeps a run from running.
 */
export function readOtelEnvironment(environment: Environment, warn: (message: string) => void): OtelSettings | null {
  // An empty value is one that is not set.
  const value = (name: string) => environment[name]?.trim() || undefined;
  const either = (name: string) => value(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? value(`OTEL_EXPORTER_OTLP_${name}`);
  const isOff = value("OTEL_SDK_DISABLED")?.toLowerCase() === "true" || value("OTEL_TRACES_EXPORTER") === "none";
  const endpoint = endpointOf(value);
  if (isOff || endpoint === null) return null;
  const protocol = either("PROTOCOL") ?? "http/protobuf";
  if (protocol !== "http/protobuf") {
    warn(`no telemetry is sent: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf, got ${protocol}`);
    return null;
  }
  if (!isHttp(endpoint.url)) {
    warn(`no telemetry is sent: ${endpoint.name} must be an http or https URL, got ${JSON.stringify(endpoint.url)}`);
    return null;
  }
  const pairs = (name: string, text: string | undefined) => pairsOf(name, text, warn);
  const resource = pairs("OTEL_RESOURCE_ATTRIBUTES", value("OTEL_RESOURCE_ATTRIBUTES"));
  const service = value("OTEL_SERVICE_NAME") ?? resource["service.name"] ?? "faraday";
  return {
    url: endpoint.url,
    headers: pairs("OTEL_EXPORTER_OTLP_HEADERS", either("HEADERS")),
    timeoutMs: timeoutOf(either("TIMEOUT"), warn),
    gzip: either("COMPRESSION") === "gzip",
    resource: { ...resource, "service.name": service },
    captureContent: captureValues.includes(
      value("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT")?.toLowerCase() ?? "",
    ),
  };
}

/** The one for traces is taken as it is; the general one is the place that `v1/traces` lies in. */
function endpointOf(
  value: (name: string) => string | undefined,
): { readonly name: string; readonly url: string } | null {
  const own = value("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
  if (own !== undefined) return { name: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url: own };
  const base = value("OTEL_EXPORTER_OTLP_ENDPOINT");
  if (base === undefined) return null;
  return { name: "OTEL_EXPORTER_OTLP_ENDPOINT", url: `${base.replace(/\/+$/, "")}/v1/traces` };
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function timeoutOf(text: string | undefined, warn: (message: string) => void): number {
  if (text === undefined) return timeoutDefaultMs;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  warn(`OTEL_EXPORTER_OTLP_TIMEOUT must be milliseconds, got ${JSON.stringify(text)}: it is ${timeoutDefaultMs}`);
  return timeoutDefaultMs;
}

/** `key=value,key=value`, percent-encoded. Values are not repeated in warnings: they are often secrets. */
function pairsOf(name: string, text: string | undefined, warn: (message: string) => void): Record<string, string> {
  const pairs: Record<string, string> = Object.create(null);
  for (const [index, pair] of (text ?? "").split(",").entries()) {
    if (pair.trim() === "") continue;
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    try {
      if (key === undefined || value === undefined) throw new Error("expected key=value");
      pairs[decodeURIComponent(key)] = decodeURIComponent(value);
    } catch (error) {
      warn(`${name}, part ${index + 1} is passed over: ${messageOf(error)}`);
    }
  }
  return pairs;
}
