import { InputError } from "../core/errors.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";

export const store: Command = {
  usage: [
    "store serve --store URL [--host H] [--port N] [--token-file F] [--cors-origin O]...",
    "store migrate|stats|vacuum [URL]",
    "store prune [URL] --keep N",
    "store copy FROM TO",
  ],
  description: `serve answers the HTTP API of Agent Lightning's LightningStore 0.3 (/v1/agl), OTLP traces in protobuf (/v1/traces), Prometheus
metrics (/metrics) and describes itself (/openapi.json). It prints one line with its address once it listens, and serves until it is
stopped. A token file has a token a line: read TOKEN, or write TOKEN; without one it serves this machine alone.

migrate brings a store of an older version up to date, as opening it does; every row is kept.
stats counts what is in it. prune deletes the runs that have ended but for the newest N; vacuum gives their space back.
copy copies everything into a store that is empty, also from one database to the other; audit logs stay byte for byte what they are.
Nobody may write to either meanwhile.`,
  positionals: {
    min: 1,
    max: 3,
    names: ["serve|migrate|stats|prune|vacuum|copy", "the store's URL", "the copy's URL"],
  },
  options: {
    store: { value: "URL", summary: "The store: sqlite:<file> or postgres://…", default: "sqlite:faraday.db" },
    keep: { value: "N", summary: "prune: how many runs that have ended are kept" },
    host: {
      value: "H",
      summary: "serve: address to listen on; beyond this machine a token file is needed",
      default: "127.0.0.1",
    },
    port: { value: "N", summary: "serve: port to listen on; 0 takes a free one", default: "4747" },
    "token-file": { value: "F", summary: "serve: who may read and write; a file of yours alone (chmod 600)" },
    "cors-origin": {
      value: "O",
      multiple: true,
      summary: "serve: pages of this origin may use it; * for all, without credentials",
    },
  },
  examples: [
    "faraday store serve --store sqlite:faraday.db",
    "faraday store serve --store postgres://db/faraday --host 0.0.0.0 --port 4747 --token-file tokens",
    "faraday store stats sqlite:runs/second/faraday.db",
    "faraday store prune sqlite:faraday.db --keep 10",
    "faraday store copy sqlite:faraday.db postgres://db/faraday",
  ],
  run: runStore,
};

/** Loaded when named: what copies needs no server. */
const actions: Readonly<Record<string, (invocation: Invocation) => Promise<CommandResult>>> = {
  serve: async (invocation) => (await import("./store-serve.ts")).serveStore(invocation),
  migrate: async (invocation) => (await import("./store-maintain.ts")).migrateStore(invocation),
  stats: async (invocation) => (await import("./store-maintain.ts")).showStats(invocation),
  prune: async (invocation) => (await import("./store-maintain.ts")).pruneStore(invocation),
  vacuum: async (invocation) => (await import("./store-maintain.ts")).vacuumStore(invocation),
  copy: async (invocation) => (await import("./store-maintain.ts")).copyStore(invocation),
};

async function runStore(invocation: Invocation): Promise<CommandResult> {
  const [name = ""] = invocation.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action !== undefined) return await action(invocation);
  const known = Object.keys(actions).join(", ");
  throw new InputError(`faraday store has no action ${JSON.stringify(name)}; it has ${known}`);
}
