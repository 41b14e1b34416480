/** The delegate's HTTP server on the loopback address, for the watcher of its box: how it is, and the order to end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How a delegate is. */
export interface Health {
  /** It is connected and takes tasks. */
  readonly ready: boolean;
  readonly connected: boolean;
  /** Tasks that run, or whose result was not acknowledged. */
  readonly openTasks: number;
  /** The gateway knows its version no more, and it has stopped asking. */
  readonly versionNotActive: boolean;
  /** One sentence; empty where there is nothing to say. */
  readonly reason: string;
}

export interface LocalServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens. Rejects where the port is taken. */
export async function serveLocally(parts: {
  readonly port: number;
  readonly health: () => Health;
  readonly drain: () => void;
}): Promise<LocalServer> {
  const server = createServer((request, response) => {
    request.resume();
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    const key = `${request.method} ${request.url?.split('?')[0]}`;
    if (key === 'GET /healthz') answer(200, parts.health());
    else if (key === 'POST /drain') {
      parts.drain();
      answer(202, parts.health());
    } else {
      answer(404, {
        code: 'NOT_FOUND',
        message: `there is no ${key} here, only GET /healthz and POST /drain`,
      });
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
