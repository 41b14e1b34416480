/**
 * A small instance of a version for tests: on one port it takes HTTP/1, HTTP/2 with prior knowledge and websockets, and
 * answers with what reached it, so that a test sees which version served a request and which headers arrived.
 */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { SocketAddress } from '../../src/model/spec.ts';

/** What an echo answers, as JSON. */
export interface Echo {
  readonly version: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A running instance. */
export interface EchoServer {
  readonly address: SocketAddress;
  /** Requests that have arrived so far, also those that it refused or never answered. */
  requests(): number;
  /** Those of them that were marked as copies. */
  copies(): readonly Echo[];
  close(): Promise<void>;
}

/** `Answer`: as above. `Silent`: takes connections and requests and never answers. `RefuseStreams`: HTTP/2 only. */
export type Behaviour = 'Answer' | 'Silent' | 'RefuseStreams' | 'CutAfterHeaders';

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

const HTTP2_PREFACE = 'PRI ';
/** NGHTTP2_REFUSED_STREAM: the request has not been begun (RFC 9113, section 8.7). */
const REFUSED_STREAM = 7;

/** Starts an instance of `version` on a free port of loopback. */
export async function startEcho(version: string, behaviour: Behaviour = 'Answer'): Promise<EchoServer> {
  let requests = 0;
  const copies: Echo[] = [];
  const sockets = new Set<Socket>();
  const answer = (request: Request, response: Response): void => {
    requests += 1;
    const echo: Echo = { version, path: request.url ?? '', headers: request.headers };
    if (request.headers['x-switchyard-mirror'] !== undefined) copies.push(echo);
    if (behaviour === 'Silent') return;
    if (behaviour === 'CutAfterHeaders') {
      request.socket.destroy();
      return;
    }
    const body = JSON.stringify(echo);
    response.setHeader('content-type', 'application/json');
    response.setHeader('content-length', Buffer.byteLength(body));
    response.end(body);
  };
  const http1 = createHttp1({ maxHeaderSize: 128 * 1024 }, answer).on('upgrade', (_, socket: Socket) => {
    requests += 1;
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  });
  const http2 = createHttp2({ maxHeaderListPairs: 2000, settings: { maxHeaderListSize: 128 * 1024 } });
  if (behaviour === 'RefuseStreams') {
    http2.on('stream', (stream) => {
      requests += 1;
      stream.on('error', () => undefined);
      stream.close(REFUSED_STREAM);
    });
  } else {
    http2.on('request', answer);
  }
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      if (first.toString('latin1').startsWith(HTTP2_PREFACE)) {
        http2.emit('connection', socket);
      } else {
        http1.emit('connection', socket);
        socket.resume();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    requests: () => requests,
    copies: () => copies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
