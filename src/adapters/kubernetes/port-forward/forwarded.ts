/**
 * One connection to a port of a Pod, through the API server: the kubelets' WebSocket protocol `v4.channel.k8s.io`. Each message
 * begins with the number of its channel: 0 carries the bytes, 1 says in words what went wrong at the Pod's end. On both the
 * first two bytes are the port.
 */
import type { IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Milliseconds } from '../../../model/instant.ts';
import { type KubernetesApi, textOf } from '../client/api.ts';
import { errorOf } from '../client/api-error.ts';
import { POD } from '../client/kinds.ts';
import { pathOf } from '../client/objects.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const PORT_BYTES = 2;
/** How long the API server may take to bring it about. */
const HANDSHAKE_TIMEOUT: Milliseconds = 15_000;
/** A peer that has not answered the last ping when the next is due is gone: a node may end without a word. */
const PING_EVERY: Milliseconds = 15_000;

export interface ForwardTo {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * Resolves when the API server has agreed. Rejects with KubernetesApiError where it refuses, or with the connection's error.
 * What breaks later is the error that the stream ends with.
 */
export async function forward(api: KubernetesApi, to: ForwardTo): Promise<Duplex> {
  const { namespace, pod, port } = to;
  const path = pathOf(POD, { namespace, name: pod, subresource: 'portforward' });
  const { url, options } = await api.upgrade({ path, query: { ports: port } });
  url.protocol = url.protocol.replace('http', 'ws');
  // Loosely typed by the library: it passes on what https.request takes.
  const socket = new WebSocket(url, [PROTOCOL], {
    ...(options as object),
    handshakeTimeout: HANDSHAKE_TIMEOUT,
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    // At once: the first message may be there already.
    socket.once('open', () => {
      socket.off('error', reject);
      resolve(new Forwarded(socket, to));
    });
    socket.once('error', reject);
    socket.once('unexpected-response', (_, response: IncomingMessage) => {
      const code = response.statusCode ?? 0;
      textOf(response)
        .then((body) => reject(errorOf({ code, body, asked: `GET ${path}` })), reject)
        .finally(() => socket.terminate());
    });
  });
}

class Forwarded extends Duplex {
  readonly #socket: WebSocket;
  readonly #to: ForwardTo;
  readonly #pings: NodeJS.Timeout;
  /** What was heard on each channel before its port was complete. */
  readonly #heard = [0, 0];
  #isAnswering = true;
  #said = '';

  constructor(socket: WebSocket, to: ForwardTo) {
    super();
    this.#socket = socket;
    this.#to = to;
    socket.on('message', (message: Buffer) => this.#take(message));
    socket.on('pong', () => {
      this.#isAnswering = true;
    });
    socket.on('error', (error) => this.#over(error.message));
    socket.on('close', () => this.#over('it was closed'));
    this.#pings = setInterval(() => this.#ping(), PING_EVERY);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(DATA), chunk]), done);
  }

  /** There is no half of a connection in this protocol. */
  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearInterval(this.#pings);
    this.#socket.terminate();
    done(error);
  }

  #take(message: Buffer): void {
    const channel = message[0] ?? DATA;
    const heard = this.#heard[channel];
    if (heard === undefined) return;
    const ofPort = Math.min(PORT_BYTES - heard, message.length - 1);
    this.#heard[channel] = heard + ofPort;
    const rest = message.subarray(1 + ofPort);
    if (rest.length === 0) return;
    if (channel !== DATA) this.#said += rest.toString('utf8');
    else if (!this.push(rest)) this.#socket.pause();
  }

  #ping(): void {
    if (!this.#isAnswering) return this.#over(`nothing was heard for ${PING_EVERY / 1_000} s`);
    this.#isAnswering = false;
    this.#socket.ping();
  }

  /** What the Pod's end has said goes before what the connection says. */
  #over(why: string): void {
    const { pod, port } = this.#to;
    const words = this.#said.trim().slice(0, 500) || why;
    this.destroy(new Error(`the connection to port ${port} of Pod ${pod} ended: ${words}`));
  }
}
