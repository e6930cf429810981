import { isIP } from "node:net";

/** Whether only programs of this machine reach it. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** Whether a `Host` header names this machine: a page elsewhere can make its own name resolve to 127.0.0.1. */
export function namesLoopback(header: string | undefined): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]*))(?::\d+)?$/.exec(header ?? "");
  return isLoopback((name?.[1] ?? name?.[2] ?? "").toLowerCase());
}
