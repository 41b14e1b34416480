/**
 * The xDS server: listens, accepts connections with a deep backlog, and serves every discovery stream. grpc-js does the
 * protocol; the listening socket is ours, because grpc-js offers no backlog of its own and thousands of proxies come at
 * once when a controller restarts.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { XdsPublisher } from './publisher.ts';
import type { RawCall } from './push.ts';
import { DISCOVERY_METHODS, DISCOVERY_SERVICE } from './services.ts';
import { ConnectedProxies, DEFAULT_TIMES, type StreamTimes, serveStream } from './stream.ts';

export interface XdsServerOptions {
  readonly publisher: XdsPublisher;
  /** The address to listen on. */
  readonly host: string;
  /** The port; 0 for any free one. */
  readonly port: number;
  /** TLS and who may connect; default: plain text. */
  readonly credentials?: ServerCredentials;
  readonly times?: Partial<StreamTimes>;
  /** Which way frames go to the wire; `grpc` where the faster way is not wanted. */
  readonly way?: 'http2' | 'grpc';
  /** What else proxies call on this port. */
  readonly services?: readonly {
    readonly definition: ServiceDefinition;
    readonly implementation: UntypedServiceImplementation;
  }[];
}

export interface XdsServer {
  readonly host: string;
  readonly port: number;
  /** Ends all streams and stops listening. Proxies keep what they have and connect again elsewhere. */
  close(): Promise<void>;
}

const BACKLOG = 4_096;
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const KEEPALIVE_MS = 15_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;

/** Starts the server. Rejects where the address cannot be used. */
export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const { publisher, host, port, credentials = ServerCredentials.createInsecure(), way = 'http2' } = options;
  const context = {
    fleet: publisher.fleet,
    proxies: new ConnectedProxies(),
    times: { ...DEFAULT_TIMES, ...options.times },
    way,
  };
  const grpc = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  });
  grpc.addService(
    DISCOVERY_SERVICE,
    Object.fromEntries(
      DISCOVERY_METHODS.map((method) => [method.path, (call: RawCall) => serveStream(context, method, call)]),
    ),
  );
  for (const { definition, implementation } of options.services ?? []) {
    grpc.addService(definition, implementation);
  }
  const injector = grpc.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    injector.injectConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host, port, backlog: BACKLOG }, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  return {
    host,
    port: (listener.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      grpc.forceShutdown();
      injector.destroy();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
