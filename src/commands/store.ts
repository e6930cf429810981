import { InputError } from "../core/errors.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { serveStore } from "./store-serve.ts";

export const store: Command = {
  summary: "Serve a store to others",
  usage: ["store serve --store URL [--host H] [--port N] [--token-file F] [--cors-origin O]..."],
  description: `serve answers the HTTP API of Agent Lightning's LightningStore 0.3 (/v1/agl), OTLP traces in protobuf (/v1/traces), Prometheus
metrics (/metrics) and describes itself (/openapi.json). It prints one line with its address once it listens, and serves until it is
stopped. A token file has a token a line: read TOKEN, or write TOKEN; without one it serves this machine alone.`,
  positionals: { min: 1, max: 1, names: ["serve"] },
  options: {
    store: { value: "URL", summary: "The store: sqlite:<file> or postgres://…", default: "sqlite:faraday.db" },
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
  ],
  run: runStore,
};

const actions: Readonly<Record<string, (invocation: Invocation) => Promise<CommandResult>>> = { serve: serveStore };

async function runStore(invocation: Invocation): Promise<CommandResult> {
  const [name = ""] = invocation.positionals;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action !== undefined) return await action(invocation);
  const known = Object.keys(actions).join(", ");
  throw new InputError(`faraday store has no action ${JSON.stringify(name)}; it has ${known}`);
}
