import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface ForgetfulProxy extends AsyncDisposable {
  readonly url: string;
  /** How many answers were lost. */
  readonly forgotten: number;
  /** The next request is done, and its answer lost. */
  forgetNext(): void;
}

/** Passes requests on to a server, and answers back, but for those that it is told to lose. */
export async function forgetfulProxy(target: string): Promise<ForgetfulProxy> {
  let forget = false;
  let forgotten = 0;
  const proxy = createServer(async (request, response) => {
    const { method = "GET", url = "/", headers } = request;
    const sent = Object.entries(headers).filter(([name]) => !/^(?:host|connection|content-length)$/.test(name));
    const answer = await fetch(target + url, {
      ...{ method, headers: sent.map(([name, value]) => [name, String(value)] as [string, string]) },
      ...(method === "GET" ? {} : { body: await buffer(request) }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    if (forget) {
      forget = false;
      forgotten++;
      response.destroy();
    } else response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    get forgotten() {
      return forgotten;
    },
    forgetNext() {
      forget = true;
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, "close");
    },
  };
}
