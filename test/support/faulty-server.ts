/** Stands between a client and an HTTP server: passes requests on, until a test makes it answer something else. */
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What is answered. `silence`: the connection stays open, and nothing comes. `cut`: half of the true answer. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'silence' }
  | { readonly kind: 'cut' }
  | { readonly kind: 'body'; readonly status: number; readonly body: string }
  /** The true answer, after a change. */
  | { readonly kind: 'changed'; readonly change: (body: string) => string };

export interface FaultyServer {
  readonly url: string;
  fault: Fault;
  close(): Promise<void>;
}

/** Starts one in front of `upstream`, without a fault. */
export async function startFaultyServer(upstream: string): Promise<FaultyServer> {
  const state: { fault: Fault } = { fault: { kind: 'none' } };
  const server = createServer((incoming, response) => {
    const { fault } = state;
    if (fault.kind === 'silence') return;
    if (fault.kind === 'body') {
      response.writeHead(fault.status, { 'content-type': 'application/json' }).end(fault.body);
      return;
    }
    const { method, headers, url } = incoming;
    const passed = request(`${upstream}${url}`, { method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        if (fault.kind === 'cut') {
          response.writeHead(answer.statusCode ?? 502, { 'content-length': body.length });
          response.write(body.slice(0, body.length / 2), () => response.destroy());
          return;
        }
        response.writeHead(answer.statusCode ?? 502);
        response.end(fault.kind === 'changed' ? fault.change(body) : body);
      });
    });
    passed.on('error', () => response.destroy());
    incoming.pipe(passed);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get fault() {
      return state.fault;
    },
    set fault(fault) {
      state.fault = fault;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
