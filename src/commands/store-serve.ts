import { once } from "node:events";
import { resolve } from "node:path";
import { StoreServer } from "../store/http/store-server.ts";
import { Tokens } from "../store/http/tokens.ts";
import { openStore } from "../store/open.ts";
import type { CommandResult, Invocation } from "./command.ts";
import { integerOption } from "./option-values.ts";

/** Serves until it is stopped, then answers what is in hand. */
export async function serveStore(invocation: Invocation): Promise<CommandResult> {
  const { signal, terminal, json } = invocation;
  const tokenFile = invocation.value("token-file");
  const tokens = tokenFile === undefined ? Tokens.none() : Tokens.fromFile(resolve(tokenFile));
  const port = integerOption(invocation, "port", { min: 0, max: 65535 }) ?? 4747;
  const host = invocation.value("host") ?? "127.0.0.1";
  const url = invocation.value("store") ?? "sqlite:faraday.db";
  await using store = await openStore(url, { baseDir: process.cwd() });
  await using server = await StoreServer.listen({
    ...{ store, host, port, tokens },
    corsOrigins: invocation.values("cors-origin"),
  });
  const line = json ? JSON.stringify({ address: server.url }) : `listening on ${server.url}`;
  terminal.stdout.write(`${line}\n`);
  if (!signal.aborted) await once(signal, "abort");
  return { json: undefined, text: "" };
}
