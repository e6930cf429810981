import { randomBytes } from "node:crypto";
import pg from "pg";

/** The server that tests use; CI starts one, and there they may not be skipped. */
export const server = process.env.FARADAY_TEST_POSTGRES;
export const skipReason = "FARADAY_TEST_POSTGRES names no PostgreSQL server; .ci/start-postgres.sh starts one";

if (server === undefined && process.env.CI !== undefined) throw new Error(`${skipReason}; CI must have one`);

/** The URL of a store that nobody else has, and what takes it away. */
export function newPostgresStore(): { readonly url: string; readonly drop: () => Promise<void> } {
  const schema = `test_${randomBytes(6).toString("hex")}`;
  const url = `${server}?schema=${schema}`;
  return { url, drop: () => ask(`DROP SCHEMA IF EXISTS ${schema} CASCADE`).then(() => {}) };
}

/** Asks the server as another program would. */
export async function ask(sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql });
    return rows;
  } finally {
    await client.end();
  }
}
