import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { serveStore } from "./serve-store.ts";

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Base64, where it is no text. */
  readonly bytes?: string;
  readonly answer: {
    readonly status: number;
    readonly type?: string;
    readonly encoding?: string;
    readonly body?: string;
    readonly bytes?: string;
  };
}

/**
 * What Agent Lightning 0.3.0's own client and OTLP exporter sent to its own server with its store in memory, and what that answered.
 * Ids and times are not the same twice.
 */
const session: readonly Recorded[] = readFileSync("test/fixtures/agl-session/session.jsonl", "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

it("a recorded session of Agent Lightning 0.3 is answered as its own server answered it", async () => {
  await using server = await serveStore();
  const ids = new Map<string, string>();
  for (const recorded of session) {
    const what = `${recorded.method} ${recorded.path}`;
    const answer = await fetch(server.url + translated(recorded.path, ids), {
      method: recorded.method,
      headers: recorded.headers,
      ...(recorded.method === "GET" ? {} : { body: bodyOf(recorded, ids) }),
    });
    expect(answer.status, what).toBe(recorded.answer.status);
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (recorded.answer.bytes !== undefined) {
      expect(answer.headers.get("content-encoding"), what).toBe(recorded.answer.encoding ?? null);
      // fetch has unpacked it.
      expect(bytes, what).toEqual(unpacked(recorded.answer));
    } else if (recorded.answer.type === "application/json") {
      learnIds(JSON.parse(recorded.answer.body ?? ""), JSON.parse(bytes.toString()), ids);
      expect(comparable(JSON.parse(bytes.toString())), what).toEqual(
        comparable(JSON.parse(translated(recorded.answer.body ?? "", ids))),
      );
    }
  }
  expect(ids.size).toBeGreaterThan(10);
});

function bodyOf({ body, bytes }: Recorded, ids: ReadonlyMap<string, string>): string | Buffer {
  if (body !== undefined) return translated(body, ids);
  const given = Buffer.from(bytes ?? "", "base64");
  const packed = given[0] === 0x1f && given[1] === 0x8b;
  const plain = packed ? gunzipSync(given) : given;
  // Ids have one length, so that they can be exchanged inside of protobuf.
  const exchanged = Buffer.from(translated(plain.toString("latin1"), ids), "latin1");
  return packed ? gzipSync(exchanged) : exchanged;
}

function unpacked({ bytes = "", encoding }: Recorded["answer"]): Buffer {
  const given = Buffer.from(bytes, "base64");
  return encoding === "gzip" ? gunzipSync(given) : given;
}

function translated(text: string, ids: ReadonlyMap<string, string>): string {
  return text.replace(/\b(?:ro|at|rs)-[0-9a-f]{8,12}\b/g, (id) => ids.get(id) ?? id);
}

/** Ids that an answer shows for the first time are the same record's. */
function learnIds(theirs: unknown, ours: unknown, ids: Map<string, string>): void {
  if (typeof theirs === "string" && typeof ours === "string") {
    if (/^(?:ro|at|rs)-[0-9a-f]+$/.test(theirs) && !ids.has(theirs)) ids.set(theirs, ours);
  } else if (typeof theirs === "object" && theirs !== null && typeof ours === "object" && ours !== null) {
    for (const [key, value] of Object.entries(theirs)) learnIds(value, Reflect.get(ours, key), ids);
  }
}

/** Times of now become one; so does what says which store it is, and for how long. What memory it may take is its own matter. */
function comparable(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => comparable(each));
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).filter(([name]) => !name.endsWith("_bytes"));
    return Object.fromEntries(fields.map(([name, each]) => [name, comparable(each, name)]));
  }
  if (typeof value === "number" && key.endsWith("_time") && value > 1e9) return "now";
  if (key === "uptime") return "some time";
  return key === "name" && String(value).endsWith("Store") ? "a store" : value;
}
