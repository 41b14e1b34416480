/**
 * The HTTP server for machines that look after the controller: `/metrics` for Prometheus, `/healthz` (the process
 * answers) and `/readyz` (it serves proxies). It only reads, so it needs no login; what it shows names services and
 * versions, never tenants.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SocketAddress } from '../model/spec.ts';
import type { Scrape } from './metrics.ts';

/** Whether the controller serves, and why not. */
export type Readiness = { readonly kind: 'ready' } | { readonly kind: 'notReady'; readonly reason: string };

/** Where to listen, and what to answer. */
export interface HttpServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  scrape(): Promise<Scrape>;
  readiness(): Readiness;
  /** A request that could not be answered, for the log. */
  onFault(fault: { readonly path: string; readonly error: unknown }): void;
}

export interface HttpServer {
  /** Where it listens. */
  readonly address: SocketAddress;
  /** Ends open requests and stops. */
  close(): Promise<void>;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const text = (status: number, body: string): Page => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${body}\n`,
});

/** Listens. Rejects with the system's error (EADDRINUSE, EACCES, …) where it cannot. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    void answer(options, request, response);
  });
  server.maxConnections = 256;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ host: options.host, port: options.port }, resolve);
  });
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const page = await pageFor(options, request);
  response.writeHead(page.status, {
    'content-type': page.contentType,
    'content-length': Buffer.byteLength(page.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(page.status === 405 && { allow: 'GET, HEAD' }),
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

async function pageFor(options: HttpServerOptions, request: IncomingMessage): Promise<Page> {
  const path = (request.url ?? '/').replace(/[?#].*/s, '');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return text(405, `${request.method} is not offered here; use GET`);
  }
  try {
    return (
      (await pages[path]?.(options)) ??
      text(404, `there is no ${path} here; there are ${Object.keys(pages).join(', ')}`)
    );
  } catch (error) {
    options.onFault({ path, error });
    return text(500, 'this page failed; the log says why');
  }
}

const pages: Readonly<Record<string, (options: HttpServerOptions) => Page | Promise<Page>>> = {
  '/': () => text(200, `Switchyard controller: ${Object.keys(pages).slice(1).join(', ')}`),
  '/metrics': async (options) => ({ status: 200, ...(await options.scrape()) }),
  '/healthz': () => text(200, 'ok'),
  '/readyz': (options) => {
    const now = options.readiness();
    return now.kind === 'ready' ? text(200, 'ready') : text(503, `not ready: ${now.reason}`);
  },
};
