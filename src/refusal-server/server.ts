/**
 * The refusal backend: gateways of the Gateway API cannot answer by themselves, so their routes lead here what must reach no
 * version. It speaks HTTP/1.1 and HTTP/2 without TLS on one port, reads no body, and asks nobody.
 */
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { type Listener, listenForSockets } from '../grpc-server/sockets.ts';
import { type Answer, bodyOf, grpcHeadersOf, headersOf } from '../model/answer.ts';
import type { Milliseconds } from '../model/instant.ts';
import type { RoutingTable } from '../model/table.ts';
import { answerTo } from './answer.ts';

export interface RefusalServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** What this replica shows; undefined: nothing yet. */
  readonly table: () => RoutingTable | undefined;
}

/** With these bytes a client begins HTTP/2 (RFC 9113, section 3.4); no method of HTTP/1.1 does. */
const HTTP2_BEGINS = 'PRI';
/** What a client may leave unsaid at the beginning, and how long its request may take. */
const PATIENCE: Milliseconds = 10_000;
const MOST_STREAMS = 1_000;

/** Listens. Rejects with the system's error where it cannot. */
export async function startRefusalServer({ host, port, table }: RefusalServerOptions): Promise<Listener> {
  const http1 = createHttp1({ requestTimeout: PATIENCE, headersTimeout: PATIENCE / 2 }, (request, response) =>
    respondHttp1(answerTo(table(), valueIn(request.headers)), request, response),
  );
  const http2 = createHttp2({ settings: { maxConcurrentStreams: MOST_STREAMS } });
  http2.on('stream', (stream, headers) => respondHttp2(answerTo(table(), valueIn(headers)), headers, stream));
  http2.on('sessionError', () => undefined);
  return listenForSockets({
    host,
    port,
    tcpKeepAlive: true,
    accept: (socket) =>
      whenItBegins(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket)),
  });
}

/** Looks at the first bytes of a connection, and leaves them there. */
function whenItBegins(socket: Socket, next: (isHttp2: boolean) => void): void {
  socket.setTimeout(PATIENCE, () => socket.destroy());
  socket.once('readable', () => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    socket.setTimeout(0);
    socket.removeAllListeners('timeout');
    socket.unshift(first);
    next(first.toString('latin1', 0, HTTP2_BEGINS.length) === HTTP2_BEGINS);
  });
}

function valueIn(headers: IncomingHttpHeaders): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(',') : value;
  };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(\+|$)/.test(headers['content-type'] ?? '');
}

function respondHttp1(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  // Nobody reads it; what is unread would keep the connection from its next request.
  request.resume();
  const grpc = isGrpc(request.headers);
  const body = grpc ? '' : bodyOf(answer);
  response.writeHead(grpc ? 200 : answer.httpStatus, {
    ...Object.fromEntries(grpc ? grpcHeadersOf(answer) : JSON_TYPE),
    ...Object.fromEntries(headersOf(answer)),
    'content-length': Buffer.byteLength(body),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function respondHttp2(answer: Answer, headers: IncomingHttpHeaders, stream: ServerHttp2Stream): void {
  stream.on('error', () => undefined);
  stream.resume();
  const grpc = isGrpc(headers);
  const fields = Object.fromEntries([...(grpc ? grpcHeadersOf(answer) : JSON_TYPE), ...headersOf(answer)]);
  // A gRPC client takes a status from the headers only where nothing follows them.
  const isAlone = grpc || headers[':method'] === 'HEAD';
  stream.respond({ ':status': grpc ? 200 : answer.httpStatus, ...fields }, { endStream: isAlone });
  if (!isAlone) stream.end(bodyOf(answer));
}

const JSON_TYPE: Answer['headers'] = [['content-type', 'application/json']];
