import { describe, expect, it } from "vitest";
import type { FlightEntry } from "../../src/store/flight-entry.ts";
import { FlightRecorderEmitter } from "../../src/store/flight-recorder-emitter.ts";

const call: FlightEntry = { type: "tool_call", agentId: "a", toolName: "sql.query", toolArgs: { sql: "SELECT 1" } };
const onEntries = (...entries: readonly FlightEntry[]) => new FlightRecorderEmitter({ entries });

describe("redaction", () => {
  const secrets: readonly [name: string, text: string, secret: string][] = [
    ["a password in JSON", '{"user":"ada","password":"hunter2!"}', "hunter2!"],
    ["a password in SQL", "UPDATE users SET password_hash = 'h4sh' WHERE id = 1", "h4sh"],
    ["a header", "Authorization: Bearer abcdef123456", "abcdef123456"],
    ["a key in a URL", "postgres://ada:s3cret@db/shop", "s3cret"],
    ["an AWS key", "use AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE"],
    ["a JSON web token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJzdWIiOiIxIn0"],
    ["a private key", "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----", "MC4CAQ"],
    ["an address", "SELECT * FROM users WHERE email = 'ada@example.com'", "ada@example.com"],
    ["a card number", "card 4111 1111 1111 1111", "4111 1111 1111 1111"],
  ];

  it.each(secrets)("144: removes %s from arguments, results and metadata", (_, text, secret) => {
    const spans = onEntries({
      ...call,
      toolArgs: text,
      toolResult: { text },
      metadata: { note: text, deep: [text] },
    }).getSpans();
    expect(JSON.stringify(spans.map((span) => span.toDict()))).not.toContain(secret);
  });

  it("144: comes before shortening, so that no half of a secret is left", () => {
    const text = `${"x".repeat(985)} AKIAIOSFODNN7EXAMPLE`;
    expect(JSON.stringify(onEntries({ ...call, toolArgs: text }).getSpans())).not.toContain("AKIA");
  });

  it("144: takes a secret's name for reason enough", () => {
    const [span] = onEntries({ ...call, metadata: { api_key: 12345, step: 1 } }).getSpans();
    expect(span?.attributes).toMatchObject({ "agent_os.api_key": "[redacted]", "agent_os.step": 1 });
  });

  it("144: leaves ordinary text alone", () => {
    const sql = "SELECT name, total FROM orders WHERE id = 12345678901234 AND status = 'paid'";
    expect(onEntries({ ...call, toolArgs: { sql } }).getSpans()[0]?.attributes["agent_os.tool_args"]).toBe(
      JSON.stringify({ sql }),
    );
  });

  it("144: by a function of one's own that throws leaves nothing", () => {
    const redact = () => {
      throw new Error("no");
    };
    const [span] = new FlightRecorderEmitter({ entries: [call] }, { redact }).getSpans();
    expect(JSON.stringify(span?.toDict())).not.toContain("SELECT");
  });
});
