import { z } from "zod";
import { FaradayError } from "../../core/errors.ts";
import type { LightningStore } from "../lightning-store.ts";
import { BadValueError, UnknownIdError } from "../store-errors.ts";
import { doneBefore } from "./done-before.ts";
import { HttpError } from "./http-error.ts";
import { type Call, Lines, post, Raw, type Route } from "./route.ts";
import { againHeader, type RunMethod, runMethods } from "./run-methods.ts";
import { validate } from "./validate.ts";
import { fromParsed, toWire } from "./wire-value.ts";

type Act = (...args: readonly unknown[]) => Promise<unknown>;

/** What a trainer asks of a store that is elsewhere. */
export function runRoutes(store: LightningStore): readonly Route[] {
  const methods = Object.entries(runMethods).map(([name, { access, args }]): Route => {
    const method = name as RunMethod;
    return {
      ...{ method: "POST", path: `/v1/faraday/${method}`, access, status: 200, takes: "json", bodySchema: args },
      summary: `${method} of a store of training runs; arguments as a list`,
      run: (call) => run(store, { method, args, call }),
    };
  });
  return [
    ...methods,
    post("/v1/faraday/auditTree", {
      summary: "Audit segments of a run in the order of its tree, one a line",
      access: "read",
      body: z.tuple([z.string()]),
      run: ({ body: [id] }) => new Lines(segmentLines(store, id)),
    }),
  ];
}

async function run(
  store: LightningStore,
  { method, args, call }: { readonly method: RunMethod; readonly args: z.ZodTuple; readonly call: Call },
): Promise<Raw> {
  const given = validate(args, fromParsed(call.body), "body") as readonly unknown[];
  const act = store[method].bind(store) as Act;
  const result = await act(...given).catch(async (error: unknown) => {
    if (call.headers[againHeader] !== undefined && (await doneBefore(store, method, given))) return undefined;
    throw refusalOf(error);
  });
  return new Raw({ status: 200, type: "application/json", bytes: result === undefined ? "null" : toWire(result) });
}

/** What the store does not do, as an answer; failures stay what they are. */
function refusalOf(error: unknown): unknown {
  if (error instanceof UnknownIdError || error instanceof BadValueError) return error;
  return error instanceof FaradayError && !isBroken(error.cause) ? new HttpError(409, error.message) : error;
}

/** Whether the database failed, rather than refused: another time it may do what was asked for. */
function isBroken(cause: unknown): boolean {
  if (!(cause instanceof Error) || !("code" in cause)) return false;
  return !("errcode" in cause && cause.errcode === sqliteConstraint);
}

const sqliteConstraint = 19;

/** The last line says that it was the last: a stream may break off. */
async function* segmentLines(store: LightningStore, id: string): AsyncGenerator<string> {
  try {
    for await (const segment of store.auditTree(id)) yield `${toWire(segment)}\n`;
  } catch (error) {
    throw refusalOf(error);
  }
  yield "null\n";
}
