import { InputError } from "../core/errors.ts";

/** Where a store is in a PostgreSQL server. */
export interface PostgresPlace {
  readonly url: string;
  /** Of the tables: `faraday`, or what `?schema=` names. */
  readonly schema: string;
  /** The URL without what is secret in it. */
  readonly name: string;
}

/** @throws {InputError} where the URL is none. */
export function postgresPlace(text: string): PostgresPlace {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new InputError("store: a PostgreSQL URL must be postgres://user:password@host:port/database");
  }
  const schema = url.searchParams.get("schema") ?? "faraday";
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(schema)) {
    throw new InputError(
      `store: the schema of a PostgreSQL URL must be lower-case letters, digits and _, got ${schema}`,
    );
  }
  url.searchParams.delete("schema");
  const [address] = url.host === "" ? [url.searchParams.get("host") ?? "localhost"] : [url.host];
  const name = `postgres://${address}${url.pathname}${schema === "faraday" ? "" : `?schema=${schema}`}`;
  return { url: url.href, schema, name };
}

/** What names the store, whoever opens it. */
export function postgresName(url: string): string {
  return postgresPlace(url).name;
}
