/**
 * One gRPC stream from its first request to its end: reads requests, finds or makes the proxy that it belongs to, and
 * hands requests on. What cannot be served ends the stream with a status and a text that says why.
 */
import { status } from '@grpc/grpc-js';
import type { Milliseconds } from '../model/instant.ts';
import { excerpt, visible } from '../model/text.ts';
import { cohortOf, InvalidNodeError } from './cohort.ts';
import { makeStream, Proxy, type ProxyStream } from './proxy.ts';
import type { Fleet } from './publisher.ts';
import { connectionOf, createPushChannel, type RawCall } from './push.ts';
import { InvalidRequestError, readNode, readRequest, type WireNode, type WireRequest } from './request.ts';
import { RESOURCE_TYPES, type ResourceType, TYPE_URLS } from './resource.ts';
import type { DiscoveryMethod } from './services.ts';

/** How long the server waits for what should come soon. */
export interface StreamTimes {
  /** For the first request on a stream. */
  readonly firstRequest: Milliseconds;
  /** For the other types of a proxy that reconnects: it asks for all of them at once. */
  readonly burst: Milliseconds;
  /** For the separate stream for clusters of a proxy that reconnects; Envoy backs off for up to 30 s. */
  readonly separateStreams: Milliseconds;
}

export const DEFAULT_TIMES: StreamTimes = { firstRequest: 30_000, burst: 200, separateStreams: 35_000 };

/** Proxies by connection and node id: the streams of one share one order. */
export class ConnectedProxies {
  readonly #byConnection = new Map<object | string, Map<string, Proxy>>();

  get(connection: object | string, nodeId: string): Proxy | undefined {
    return this.#byConnection.get(connection)?.get(nodeId);
  }

  set(connection: object | string, nodeId: string, proxy: Proxy): void {
    const proxies = this.#byConnection.get(connection) ?? new Map<string, Proxy>();
    this.#byConnection.set(connection, proxies.set(nodeId, proxy));
  }

  delete(connection: object | string, nodeId: string): void {
    const proxies = this.#byConnection.get(connection);
    proxies?.delete(nodeId);
    if (proxies?.size === 0) this.#byConnection.delete(connection);
  }
}

export interface StreamContext {
  readonly fleet: Fleet;
  readonly proxies: ConnectedProxies;
  readonly times: StreamTimes;
  /** Which way frames go; `grpc` only in tests. */
  readonly way: 'http2' | 'grpc';
}

/** The longest text that ends a stream, in characters: it travels in a header. */
const LONGEST_REASON = 1_024;

const TYPES_BY_URL: ReadonlyMap<string, ResourceType> = new Map(
  RESOURCE_TYPES.map((type) => [TYPE_URLS[type], type]),
);

class TooManyProxiesError extends Error {
  override readonly name = 'TooManyProxiesError';
}

/** Serves a stream until it ends. */
export function serveStream(context: StreamContext, method: DiscoveryMethod, call: RawCall): void {
  const { fleet, times } = context;
  const address = call.getPeer();
  const timers = new Set<NodeJS.Timeout>();
  let leave: (() => void) | undefined;
  let ended = false;

  const end = (): void => {
    if (ended) return;
    ended = true;
    for (const timer of timers) clearTimeout(timer);
    leave?.();
  };
  const refuse = (code: status, reason: string, error?: unknown): void => {
    if (ended) return;
    end();
    const message = visible(reason, LONGEST_REASON);
    fleet.observer.refused?.({ address, code, message, ...(error !== undefined && { error }) });
    call.emit('error', { code, details: message });
  };
  const fail = (error: unknown): void =>
    refuse(status.INTERNAL, error instanceof Error ? error.message : String(error), error);
  const later = (wait: Milliseconds, act: () => void): NodeJS.Timeout => {
    const timer = setTimeout(() => guard(act), wait);
    timers.add(timer.unref());
    return timer;
  };
  const guard = (act: () => void): void => {
    try {
      if (!ended) act();
    } catch (error) {
      const invalid = error instanceof InvalidRequestError || error instanceof InvalidNodeError;
      if (error instanceof TooManyProxiesError) refuse(status.RESOURCE_EXHAUSTED, error.message);
      else if (invalid) refuse(status.INVALID_ARGUMENT, error.message);
      else fail(error);
    }
  };

  if (fleet.refusal !== '') {
    refuse(status.UNAVAILABLE, fleet.refusal);
    return;
  }
  const stream = makeStream({
    dialect: method.dialect,
    channel: createPushChannel(call, context.way),
    fail,
  });
  const patience = later(times.firstRequest, () =>
    refuse(status.DEADLINE_EXCEEDED, `no request came within ${times.firstRequest} ms`),
  );
  let proxy: Proxy | undefined;

  call.on('data', (bytes: Buffer) =>
    guard(() => {
      const request = readRequest(method.dialect, bytes);
      const type = typeOf(method, request);
      if (proxy === undefined) {
        clearTimeout(patience);
        const joined = join({ context, method, call, stream, node: readNode(request.node) });
        proxy = joined.proxy;
        leave = joined.leave;
        const tell = (kind: 'Drained' | 'BurstOver' | 'PatienceOver'): void =>
          joined.proxy.dispatch({ kind });
        stream.channel.onDrain(() => guard(() => tell('Drained')));
        later(times.burst, () => tell('BurstOver'));
        later(times.separateStreams, () => tell('PatienceOver'));
      }
      if (type === undefined) return;
      proxy.receive(type, stream, request);
      fleet.aim(proxy);
    }),
  );
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('error', end);
  call.on('close', end);
}

/** The type that a request is about; undefined for types that are not served, which stay without an answer. */
function typeOf(method: DiscoveryMethod, { typeUrl }: WireRequest): ResourceType | undefined {
  if (method.type !== undefined) {
    if (typeUrl === '' || typeUrl === TYPE_URLS[method.type]) return method.type;
    throw new InvalidRequestError(
      `this stream serves ${TYPE_URLS[method.type]}, the request asks for ${excerpt(typeUrl, 160)}`,
    );
  }
  if (typeUrl === '')
    throw new InvalidRequestError('type_url is empty; on an aggregated stream each request names its type');
  return TYPES_BY_URL.get(typeUrl);
}

/**
 * Finds or makes the proxy of a stream. Streams of one node over one connection are one proxy, an aggregated one among
 * them, as long as no type comes on two of them.
 */
function join(from: {
  context: StreamContext;
  method: DiscoveryMethod;
  call: RawCall;
  stream: ProxyStream;
  node: WireNode;
}): { proxy: Proxy; leave: () => void } {
  const { context, method, call, stream, node } = from;
  const { fleet, proxies } = context;
  const connection = connectionOf(call);
  const known = proxies.get(connection, node.id);
  const joined = known !== undefined && known.accepts(method) ? known : undefined;
  const proxy = joined ?? makeProxy(fleet, method, node, call.getPeer());
  if (known === undefined) proxies.set(connection, node.id, proxy);
  if (joined !== undefined) joined.dispatch({ kind: 'Separated' });
  proxy.join(method.type, stream);
  const leave = (): void => {
    proxy.leave(stream);
    if (proxy.connected) return;
    if (proxies.get(connection, node.id) === proxy) proxies.delete(connection, node.id);
    fleet.remove(proxy);
    fleet.observer.disconnected?.({ id: proxy.id });
  };
  return { proxy, leave };
}

/** Throws TooManyProxiesError. */
function makeProxy(fleet: Fleet, method: DiscoveryMethod, node: WireNode, address: string): Proxy {
  if (fleet.fullness !== '') throw new TooManyProxiesError(fleet.fullness);
  const proxy = new Proxy({
    id: fleet.freeId(node.id),
    cohort: cohortOf(node),
    node,
    address,
    protocol: method.dialect,
    shape: method.type === undefined ? 'aggregated' : 'separate',
    context: fleet,
  });
  fleet.add(proxy);
  fleet.observer.connected?.({ id: proxy.id, kind: proxy.cohort.kind, protocol: method.dialect, address });
  return proxy;
}
