/**
 * What one replica of the controller has for the API server: passes its requests on, and keeps an account of what it wrote
 * and what became of it. The way can be cut, or go silent, and one request can be held up between the replica and the server.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import {
  createServer,
  request as http,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as https, type RequestOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { KubeConfig } from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { clientConfig } from '../client-config.ts';

/** A request that changes something, as the replica sent it. Times are of `performance.now()`. */
export interface Written {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly at: number;
  /** What the server answered; undefined: nothing came back. */
  status: number | undefined;
}

/** A request that has left the replica and not reached the server. */
export interface Held {
  readonly written: Written;
  /** Lets it go on its way, and resolves with what the server says of it. */
  release(): Promise<number>;
}

type Predicate = (written: Written) => boolean;

export class ApiGate {
  /** A kubeconfig whose server is this gate. */
  readonly kubeconfig: string;
  readonly written: Written[] = [];
  /** All that it asked for, in a line each: method and path; `WATCH` where it goes on to hear. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #config: KubeConfig;
  readonly #origin: string;
  readonly #sockets = new Set<Socket>();
  /** Requests that wait for the way to be open again. */
  readonly #waiting = new Set<() => void>();
  #state: 'Open' | 'Cut' | 'Silent' = 'Open';
  #trap: { readonly matches: Predicate; readonly caught: (held: Held) => void } | undefined;

  private constructor(server: Server, origin: KubeConfig, file: string) {
    this.#server = server;
    this.#config = origin;
    this.#origin = origin.getCurrentCluster()?.server ?? '';
    this.kubeconfig = file;
    const { port } = server.address() as AddressInfo;
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'gate', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
      ],
      users: [{ name: 'gate', user: {} }],
      contexts: [{ name: 'gate', context: { cluster: 'gate', user: 'gate' } }],
      'current-context': 'gate',
    };
    writeFileSync(file, stringify(config), { mode: 0o600 });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      if (this.#state === 'Cut') socket.destroy();
    });
    server.on('request', (request, response) => {
      void this.#pass(request, response).catch(() => request.socket.destroy());
    });
  }

  /** In front of the API server of a kubeconfig, with its credentials; writes one of its own into `file`. */
  static async before(kubeconfig: string, file: string): Promise<ApiGate> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ApiGate(server, clientConfig(kubeconfig), file);
  }

  /** Drops all connections and refuses new ones. */
  cut(): void {
    this.#state = 'Cut';
    this.#drop();
  }

  /** Connections stay and are made; no new request arrives, and nothing more is heard of those that were sent. */
  silence(): void {
    this.#state = 'Silent';
    for (const socket of this.#sockets) socket.cork();
  }

  /** Lets it through again; what waited in the dark is lost, as packets are. */
  heal(): void {
    const wasSilent = this.#state === 'Silent';
    this.#state = 'Open';
    if (wasSilent) this.#drop();
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  /** Resolves with the next write that matches, which then waits until it is released. */
  hold(matches: Predicate): Promise<Held> {
    return new Promise((resolve) => {
      this.#trap = { matches, caught: resolve };
    });
  }

  async close(): Promise<void> {
    this.heal();
    this.#drop();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (this.#state === 'Silent') {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
      return;
    }
    this.#account(request);
    const written = request.method === 'GET' ? undefined : this.#note(request, body);
    if (written !== undefined && this.#trap?.matches(written) === true) {
      const { caught } = this.#trap;
      this.#trap = undefined;
      await new Promise<void>((sent) => {
        const release = async (): Promise<number> => {
          await this.#forward({ request, response, body, written }).catch(() => undefined);
          sent();
          return written.status ?? 0;
        };
        caught({ written, release });
      });
      return;
    }
    await this.#forward({ request, response, body, written });
  }

  #account({ method = '', url = '/' }: IncomingMessage): void {
    const { pathname, searchParams } = new URL(url, this.#origin);
    this.asked.push(`${searchParams.get('watch') === 'true' ? 'WATCH' : method} ${pathname}`);
  }

  #note(request: IncomingMessage, body: Buffer): Written {
    const { pathname, search } = new URL(request.url ?? '/', this.#origin);
    const written: Written = {
      method: request.method ?? '',
      path: pathname,
      query: search,
      body: body.toString('utf8'),
      at: performance.now(),
      status: undefined,
    };
    this.written.push(written);
    return written;
  }

  async #forward(passed: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly body: Buffer;
    readonly written: Written | undefined;
  }): Promise<void> {
    const { request, response, body, written } = passed;
    const { host: _, connection: __, ...headers } = request.headers;
    const options: RequestOptions = { method: request.method, headers };
    await this.#config.applyToHTTPSOptions(options);
    const url = new URL(request.url ?? '/', this.#origin);
    const sent = url.protocol === 'http:' ? http(url, options as object) : https(url, options);
    response.once('close', () => {
      if (!response.writableFinished) sent.destroy();
    });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    if (written !== undefined) written.status = answer.statusCode;
    const { connection: ___, 'keep-alive': ____, ...answered } = answer.headers;
    response.writeHead(answer.statusCode ?? 0, answered);
    response.flushHeaders();
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  }
}
