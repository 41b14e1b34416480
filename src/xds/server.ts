/**
 * The xDS server: accepts connections with a deep backlog, since thousands of proxies come at once when a controller
 * restarts, and serves every discovery stream.
 */
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { listenForGrpc } from '../grpc-server/listener.ts';
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
  const listener = await listenForGrpc({ server: grpc, credentials, host, port, tcpKeepAlive: false });
  return { host, ...listener };
}
