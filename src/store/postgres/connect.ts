import pg from "pg";
import { FaradayError, InputError, messageOf } from "../../core/errors.ts";
import type { PostgresPlace } from "../postgres-place.ts";
import { migrations, schemaVersion } from "../sql/schema.ts";
import { unescaped } from "./nul-text.ts";

/** Names the lock that whoever changes the schema holds, and with a schema's hash those of its transactions that are shared: "FRDY". */
export const faradayLock = 0x46524459;
const serverVersionMin = 150_000;

/** Every wait has an end. */
const limits = {
  statement_timeout: 120_000,
  lock_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
} as const;
const connectTimeoutMs = 10_000;
const connectionsMax = 10;
const endMsMax = 5_000;

/**
 * Connects to the store at a place, makes it where there is none, and brings its schema up to date.
 * @throws {InputError} where no store can be.
 */
export async function connect(place: PostgresPlace, options: { readonly mustExist: boolean }): Promise<pg.Pool> {
  const pool = newPool(place, { max: connectionsMax });
  try {
    await prepare(pool, place, options.mustExist);
    return pool;
  } catch (error) {
    await pool.end();
    if (error instanceof FaradayError) throw error;
    throw new InputError(`store ${place.name} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** A connection on which statements are sent without waiting for the answers to those before; it is made when it is first used. */
export function connectPipelined(place: PostgresPlace): pg.Pool {
  return newPool(place, { max: 1, pipeline: true });
}

/** For while a pool is ended, which waits for its connections: a server that neither answers nor hangs up is hung up on after a while. */
export function hangUpLate(pool: pg.Pool): Disposable {
  const timer = setTimeout(() => {
    for (const client of clientsOf.get(pool) ?? []) client.connection.stream.destroy();
  }, endMsMax);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Of each pool, those that are connected. */
const clientsOf = new WeakMap<pg.Pool, Set<pg.PoolClient>>();

function newPool(place: PostgresPlace, settings: pg.PoolConfig): pg.Pool {
  const parameters = Object.entries({ search_path: place.schema, ...limits }).map(
    ([key, value]) => `-c ${key}=${value}`,
  );
  const pool = new pg.Pool({
    connectionString: place.url,
    options: parameters.join(" "),
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    types: { getTypeParser: (oid) => parsers[oid] ?? String },
    ...settings,
  });
  // A connection that breaks while nobody uses it is made anew for the next who does.
  pool.on("error", () => {});
  // One that breaks in somebody's hands between two statements fails the next.
  pool.on("connect", (client) => client.on("error", () => {}));
  const clients = new Set<pg.PoolClient>();
  clientsOf.set(pool, clients);
  pool.on("connect", (client) => clients.add(client)).on("remove", (client) => clients.delete(client));
  return pool;
}

async function prepare(pool: pg.Pool, { schema, name }: PostgresPlace, mustExist: boolean): Promise<void> {
  const client = await pool.connect();
  try {
    if ((await versionOf(client, schema, name)) === schemaVersion) return;
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [faradayLock]);
    const version = await versionOf(client, schema, name);
    if (version === 0 && mustExist) throw new InputError(`store ${name} does not exist`);
    if (version === 0) await makeSchema(client, schema);
    for (const migration of migrations) {
      if (migration.version > version) await client.query(migration.sql("postgres"));
    }
    await client.query(`DELETE FROM faraday_schema; INSERT INTO faraday_schema VALUES (${schemaVersion})`);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** A schema that an administrator has made will do: who may not make one can have a store all the same. */
async function makeSchema(client: pg.PoolClient, schema: string): Promise<void> {
  const { rows } = await client.query("SELECT to_regnamespace($1) IS NULL AS missing", [schema]);
  if (rows[0]?.missing === true) await client.query(`CREATE SCHEMA ${schema}`);
  await client.query("CREATE TABLE faraday_schema (version INTEGER)");
}

/** @returns 0 where there is no store. */
async function versionOf(client: pg.PoolClient, schema: string, name: string): Promise<number> {
  const { rows } = await client.query(
    "SELECT current_setting('server_version_num')::int AS server, to_regclass($1) IS NOT NULL AS made",
    [`${schema}.faraday_schema`],
  );
  const [{ server, made }] = rows as [{ server: number; made: boolean }];
  if (server < serverVersionMin) {
    throw new InputError(`store ${name} must be in PostgreSQL 15 or newer, got ${Math.floor(server / 10_000)}`);
  }
  if (!made) return 0;
  const version = Number((await client.query("SELECT version FROM faraday_schema")).rows[0]?.version ?? 0);
  if (version > schemaVersion) {
    throw new InputError(
      `store ${name} has schema version ${version}, newer than ${schemaVersion}, the newest that this Faraday knows: use a newer Faraday`,
    );
  }
  return version;
}

/** By the type's oid: numbers are numbers, JSON stays text. What is not here is text too. */
const parsers: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === "t",
  17: (text) => new Uint8Array(Buffer.from(text.slice(2), "hex")),
  20: Number,
  21: Number,
  23: Number,
  25: unescaped,
  701: Number,
  1700: Number,
};
