import { connect, type Socket } from "node:net";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One kept-alive HTTP/1.1 connection, one request at a time, with as little work of its own as possible: the load must not cost
 * more than what it loads. Answers must have a Content-Length.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: string;
  #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | undefined;
  #received = "";

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text) => this.#receive(String(text)));
    socket.on("error", (error) => this.#waiting?.reject(error));
    socket.on("close", () => this.#waiting?.reject(new Error("the server hung up")));
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => resolve(new Connection(socket, host)));
      socket.once("error", reject);
    });
  }

  send(method: string, path: string, body: string | Buffer = "", type = "application/json"): Promise<Answer> {
    const length = Buffer.byteLength(body);
    const about = length === 0 ? "" : `Content-Type: ${type}\r\n`;
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${about}Content-Length: ${length}\r\n\r\n`;
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (typeof body === "string") this.#socket.write(head + body);
      else {
        this.#socket.cork();
        this.#socket.write(head);
        this.#socket.write(body);
        this.#socket.uncork();
      }
    });
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (this.#received.length < end + 4 + length) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#received.slice(end + 4, end + 4 + length) };
    this.#received = this.#received.slice(end + 4 + length);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(answer);
  }
}
