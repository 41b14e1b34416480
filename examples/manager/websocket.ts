/** The websocket face of the example manager: an echo at /echo that says who answers and when the version is drained. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { FencedError, type Instance } from './instance.ts';

const LARGEST_MESSAGE_BYTES = 65_536;

/** Makes the handler of HTTP/1.1 upgrade requests. */
export function websocketUpgrades(
  instance: Instance,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const server = new WebSocketServer({ noServer: true, maxPayload: LARGEST_MESSAGE_BYTES });
  return (request, socket, head) => {
    // The socket has no other error listener yet; a client that gives up here is no event.
    socket.on('error', () => socket.destroy());
    if (URL.parse(request.url ?? '/', 'http://instance')?.pathname !== '/echo') {
      refuse(socket, '404 Not Found');
      return;
    }
    let done: () => void;
    try {
      done = instance.begin({ kind: 'stream', face: 'websocket' });
    } catch (error) {
      if (!(error instanceof FencedError)) throw error;
      refuse(socket, '503 Service Unavailable', 'retry-after: 1\r\n');
      return;
    }
    socket.once('close', done);
    server.handleUpgrade(request, socket, head, (client) => echo(instance, client));
  };
}

function echo(instance: Instance, client: WebSocket): void {
  const send = (more: object) =>
    client.send(JSON.stringify({ ...instance.identity, draining: instance.fenced, ...more }));
  send({});
  const stopListening = instance.onDraining(() => send({}));
  client.on('message', (data) => send({ echo: textOf(data) }));
  client.on('close', stopListening);
  client.on('error', () => client.terminate());
}

function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString();
}

function refuse(socket: Duplex, status: string, headers = ''): void {
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n${headers}\r\n`);
}
