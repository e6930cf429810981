import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { type Attributes, readAttribute } from "../../src/store/otlp/any-value.ts";
import { ProtobufReader } from "../../src/store/otlp/protobuf-reader.ts";
import { type OtlpSpan, readSpan } from "../../src/store/otlp/read-span.ts";

export interface Received {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly resource: Attributes;
  readonly spans: readonly OtlpSpan[];
}

export interface Receiver extends AsyncDisposable {
  /** Such as `http://127.0.0.1:4318`. */
  readonly address: string;
  /** What was taken. */
  readonly received: readonly Received[];
  readonly spans: readonly OtlpSpan[];
  /** Requests, taken or not. */
  readonly requests: number;
}

/** What a receiver answers to the n-th request, from 0: a status, and headers and a body with it. */
export type Answer = (request: number) => {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};

/** An OTLP/HTTP receiver on a port of its own. */
export async function openReceiver(answer: Answer = () => ({ status: 200 })): Promise<Receiver> {
  const received: Received[] = [];
  let requests = 0;
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await buffer(request);
    const { status, headers = {}, body: told } = answer(requests++);
    if (status === 200) {
      const plain = request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
      received.push({ url: request.url ?? "", headers: request.headers, ...readTraces(plain) });
    }
    response.writeHead(status, { ...headers, "content-type": "application/x-protobuf" }).end(told);
  };
  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    get spans() {
      return received.flatMap(({ spans }) => spans);
    },
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An ExportTraceServiceRequest with one resource. */
export function readTraces(bytes: Buffer): Pick<Received, "resource" | "spans"> {
  const reader = new ProtobufReader(bytes);
  const resource: Attributes = {};
  const spans: OtlpSpan[] = [];
  const readResource = () => inside(reader, { 1: () => readAttribute(reader, resource) });
  const readScope = () => inside(reader, { 2: () => spans.push(readSpan(reader)) });
  fields(reader, { 1: () => inside(reader, { 1: readResource, 2: readScope }) });
  return { resource, spans };
}

type Fields = Readonly<Record<number, () => unknown>>;

function inside(reader: ProtobufReader, read: Fields): void {
  const outer = reader.enter();
  fields(reader, read);
  reader.leave(outer);
}

function fields(reader: ProtobufReader, read: Fields): void {
  while (reader.more) {
    const tag = reader.tag();
    const readField = read[tag >>> 3];
    if (readField === undefined) reader.skip(tag);
    else readField();
  }
}
