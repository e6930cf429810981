import { readFileSync } from "node:fs";

const schemaLine = "# yaml-language-server: $schema=./node_modules/faraday-rl/faraday.schema.json";

/** The SQL agent, with the places that a user changes first. */
export const sqlConfig = `${schemaLine}
# Every key, with its default and bounds: faraday schema --table
env:
  type: sql
  maxTurns: 3
  # tasks: tasks.jsonl            # {"id", "prompt", "sql", "split": "train" | "val" | "test"}, one a line
kernel:
  # drivers: { sql: { database: shop.sql } }   # an SQL script, or an SQLite file
  policies:
    - type: sql
      deny: [DROP, DELETE]        # effects, not keywords: triggers and cascades that delete count too
      tables:                     # what is not granted is denied
        "*": { select: true, insert: true, update: true }
        users: { select: { except: [password_hash] }, update: true }
        secrets: {}
      limits: { rowsChanged: 200 }
    - { type: budget, syscalls: 16 }
train:
  iterations: 30
  seed: 1
`;

const examples = new URL("../../docs/examples/", import.meta.url);

/**
 * The documented example of an environment. Its module is named .mts: it is an ES module, whatever the package that it
 * is put into says.
 */
export function ownEnvironmentFiles(): Readonly<Record<string, string>> {
  const config = readFileSync(new URL("my-env.yaml", examples), "utf8");
  const module = readFileSync(new URL("my-env.ts", examples), "utf8");
  const renamed = config.replaceAll("my-env.ts", "my-env.mts").replaceAll("my-env.yaml", "faraday.yaml");
  return { "faraday.yaml": `${schemaLine}\n${renamed}`, "my-env.mts": module };
}
