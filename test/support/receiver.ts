/** An HTTP server on loopback that notes what it is sent and answers as a test says; for webhooks and probes. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** One request as it came. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (response: ServerResponse, received: Received) => void;

/** Answers with a status and a text. */
export function say(status: number, body = '', headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, headers).end(body);
  };
}

/** Reads the request and never answers. */
export const hang: Answer = () => undefined;

/** Closes the connection instead of answering. */
export const breakOff: Answer = (response) => {
  response.destroy();
};

export class Receiver {
  /** What the next requests are answered. */
  answer: Answer = say(200);
  /** What came, oldest first. */
  readonly received: Received[] = [];
  readonly #server = createServer((request, response) => {
    void text(request).then(
      (body) => {
        const received = {
          method: request.method ?? '',
          path: request.url ?? '',
          headers: request.headers,
          body,
        };
        this.received.push(received);
        this.answer(response, received);
      },
      () => response.destroy(),
    );
  });

  /** Listens on a free port until `close`. */
  static async start(): Promise<Receiver> {
    const receiver = new Receiver();
    await receiver.listen(0);
    return receiver;
  }

  /** The same, until the test ends. */
  static async forThisTest(): Promise<Receiver> {
    const receiver = await Receiver.start();
    onTestFinished(() => receiver.close());
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A URL of this server. */
  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Listens again after `close`, on the port that it had. */
  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
