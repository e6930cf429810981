import type { PolicySpec } from "../../kernel/policies/policy-spec.ts";
import { policySpec } from "../../kernel/policies/policy-spec.ts";

/** What an imported database is queried under: reading alone. */
export function readOnlyPolicies(): PolicySpec[] {
  return [
    policySpec.parse({
      type: "sql",
      deny: ["INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP"],
      tables: { "*": { select: true } },
    }),
  ];
}

/** The config that is written beside the tasks; the policy in it is that of {@link readOnlyPolicies}. */
export function importedConfig({
  database,
  episodes,
}: {
  readonly database: string;
  readonly episodes: number;
}): string {
  return `# Questions about one database, imported. Every key, with its default and bounds: faraday schema --table
#   faraday pretrain faraday.yaml --out base-policy
#   faraday train faraday.yaml
env: { type: sql, tasks: tasks.jsonl, maxTurns: 1 }
kernel:
  drivers: { sql: { database: ${JSON.stringify(database)} } }
  policies:
    - type: sql
      deny: [INSERT, UPDATE, DELETE, CREATE, ALTER, DROP]
      tables: { "*": { select: true } } # reading alone; columns to hide: people: { select: { except: [salary] } }
model: { type: transformer, checkpoint: base-policy/ }
train: { iterations: 10, seed: 1, learningRate: 2.0e-4, evalEpisodes: ${episodes}, evalTemperature: 0 }
`;
}
