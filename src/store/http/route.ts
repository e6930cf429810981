import type { z } from "zod";
import { readQuery } from "./query-string.ts";
import { bodyProblem, validate } from "./validate.ts";

/** Who may call: all, or the bearer of a token that may read, or write. */
export type Access = "open" | "read" | "write";

/** A request whose place is known, before its parts are checked. */
export interface Call {
  /** Values of the path's `{names}`. */
  readonly params: Readonly<Record<string, string>>;
  /** What follows the question mark. */
  readonly search: string;
  /** The parsed JSON, or, where a route asks for them, the bytes; `undefined` where there was none. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Aborted when the client leaves or the server closes. */
  readonly signal: () => AbortSignal;
}

/** An answer that is not JSON. */
export interface RawReply {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** With `{names}` for parts that vary. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  /** Of an answer that went well. */
  readonly status: number;
  readonly takes: "json" | "bytes" | "nothing";
  readonly bodySchema?: z.ZodType;
  readonly bodyOptional?: boolean;
  readonly querySchema?: z.ZodObject;
  readonly replySchema?: z.ZodType;
  /** Headers of requests that mean something to it, and may be absent. */
  readonly headers?: readonly string[];
  /** Gives what becomes JSON, or a raw reply. */
  run(call: Call): unknown;
}

/** Marks a reply as raw. */
export class Raw implements RawReply {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer | string;
  readonly headers: Readonly<Record<string, string>>;

  constructor({ status, type, bytes, headers = {} }: RawReply) {
    this.status = status;
    this.type = type;
    this.bytes = bytes;
    this.headers = headers;
  }
}

/** An answer of JSON lines, made while it is sent. */
export class Lines {
  readonly lines: AsyncIterable<string>;

  constructor(lines: AsyncIterable<string>) {
    this.lines = lines;
  }
}

interface GetSpec<Query extends z.ZodObject> {
  readonly summary: string;
  readonly access?: Access;
  readonly query?: Query;
  readonly reply?: z.ZodType;
  readonly run: (call: Call & { readonly query: z.output<Query> }) => unknown;
}

export function get<Query extends z.ZodObject = z.ZodObject<Record<never, never>>>(
  path: string,
  { summary, access = "read", query, reply, run }: GetSpec<Query>,
): Route {
  return {
    ...{ method: "GET", path, access, summary, status: 200, takes: "nothing" },
    ...(query === undefined ? {} : { querySchema: query }),
    ...(reply === undefined ? {} : { replySchema: reply }),
    run(call) {
      const given = query === undefined ? {} : validate(query, readQuery(query, call.search), "query");
      return run({ ...call, query: given as z.output<Query> });
    },
  };
}

interface PostSpec<Body extends z.ZodType> {
  readonly summary: string;
  readonly access?: Access;
  readonly status?: number;
  readonly body: Body;
  readonly reply?: z.ZodType;
  readonly headers?: readonly string[];
  readonly run: (call: Call & { readonly body: z.output<Body> }) => unknown;
}

/** The body must be there unless its schema allows it to be `undefined`. */
export function post<Body extends z.ZodType>(
  path: string,
  { summary, access = "write", status = 200, body, reply, headers = [], run }: PostSpec<Body>,
): Route {
  const bodyOptional = body.safeParse(undefined).success;
  return {
    ...{ method: "POST", path, access, summary, status, takes: "json", bodySchema: body, bodyOptional, headers },
    ...(reply === undefined ? {} : { replySchema: reply }),
    run(call) {
      if (call.body === undefined && !bodyOptional) throw bodyProblem("missing", "Field required");
      return run({ ...call, body: validate(body, call.body, "body") });
    },
  };
}
