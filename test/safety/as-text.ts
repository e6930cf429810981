import { hash } from "node:crypto";

const longMax = 2_000;

/** A value of SQL as text that two processes can compare: long ones by their hash. */
export function valueAsText(value: unknown): string {
  if (value instanceof Uint8Array) return bytesAsText(value);
  if (typeof value === "string") return shortened(JSON.stringify(value));
  return value === null ? "NULL" : String(value);
}

export function rowsAsText(rows: readonly (readonly unknown[])[]): string {
  return shortened(rows.map((row) => row.map(valueAsText).join(", ")).join("\n"));
}

function bytesAsText(bytes: Uint8Array): string {
  if (bytes.length > longMax) return `${bytes.length} bytes, ${hash("sha256", bytes)}`;
  return `x'${Buffer.from(bytes).toString("hex")}'`;
}

function shortened(text: string): string {
  return text.length <= longMax ? text : `${text.length} characters, ${hash("sha256", text)}`;
}
