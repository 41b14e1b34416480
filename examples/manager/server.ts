/**
 * One port for everything: HTTP/1.1 (with websockets) and HTTP/2 with prior knowledge, which carries gRPC and plain
 * requests alike. The first bytes of a connection tell which of the two it is. Stops gracefully: open work may end.
 */
import { createServer as createHttp1Server } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { grpcRoutes } from './grpc.ts';
import { handleHttp } from './http.ts';
import type { Instance } from './instance.ts';
import { websocketUpgrades } from './websocket.ts';
import type { Engine } from './workflow/engine.ts';
import { followFence } from './workflow/fence.ts';

/** Every HTTP/2 connection begins with "PRI * HTTP/2.0"; no method of HTTP/1.1 begins so. RFC 9113, 3.4. */
const HTTP2_PREFACE = Buffer.from('PRI');
/** Of a gRPC message: a result of the largest size that the store takes, and some more. */
const LARGEST_MESSAGE = 4 * 1024 * 1024;
/** A connection that says nothing for so long is closed. */
const FIRST_BYTES_WITHIN_MS = 10_000;

/** A listening instance. */
export interface ManagerServer {
  readonly host: string;
  readonly port: number;
  /** Fences, waits for open work until it is done or `graceMs` has passed, then closes everything. */
  stop(graceMs: number): Promise<void>;
}

/** Listens for one instance, and for its executions where it has an engine. Rejects when the address cannot be bound. */
export async function serve(
  instance: Instance,
  at: { host: string; port: number },
  engine?: Engine,
): Promise<ManagerServer> {
  const handler = connectNodeAdapter({
    routes: grpcRoutes(instance, engine),
    readMaxBytes: LARGEST_MESSAGE,
    fallback: (request, response) => handleHttp({ instance, engine }, request, response),
  });
  // A proxy in front reuses connections: one closed by an idle timer here would race with its next request.
  const http1 = createHttp1Server({ keepAliveTimeout: 0, requestTimeout: 0 }, handler);
  http1.on('upgrade', websocketUpgrades(instance));
  const http2 = createHttp2Server(handler);
  const sessions = new Set<ServerHttp2Session>();
  http2.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // A peer that resets the connection is no fault of ours.
    session.on('error', () => session.destroy());
  });

  const sockets = new Set<Socket>();
  const listener = createNetServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setNoDelay(true);
    sniff(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ ...at, backlog: 1024 }, resolve);
  });
  const { address, port } = listener.address() as AddressInfo;
  if (engine !== undefined) void followFence(instance, engine, engine.leaving);

  return {
    host: address,
    port,
    async stop(graceMs) {
      instance.fence();
      listener.close();
      await instance.idle(AbortSignal.timeout(graceMs)).catch(() => {});
      for (const session of sessions) session.close();
      // HTTP/1.1 has no way to say goodbye on an idle connection; a proxy retries elsewhere.
      for (const socket of sockets) socket.end();
      await new Promise((resolve) => setImmediate(resolve));
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Reads the first bytes of a connection, puts them back, and tells whether it is HTTP/2. */
function sniff(socket: Socket, found: (isHttp2: boolean) => void): void {
  socket.setTimeout(FIRST_BYTES_WITHIN_MS, () => socket.destroy());
  let seen: Buffer = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const compared = Math.min(seen.length, HTTP2_PREFACE.length);
    const couldBe = seen.subarray(0, compared).equals(HTTP2_PREFACE.subarray(0, compared));
    if (couldBe && compared < HTTP2_PREFACE.length) return;
    socket.off('data', onData);
    socket.pause();
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(seen);
    found(couldBe);
    process.nextTick(() => socket.resume());
  };
  socket.on('data', onData);
}
