/**
 * The admin server: our service with health and reflection, on a Unix socket and, where asked for, on TCP. It holds
 * no state of its own; what it shows and does is the operations'.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DescFile, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation } from 'grpc-health-check';
import { changeHandlers } from './changes.ts';
import { AdminService } from './contract.ts';
import { adminDefinition, type FaultListener, implementation, STOPPING } from './definition.ts';
import { delegateHandlers } from './delegates.ts';
import { type Listening, listenOnAddress, listenOnSocket } from './listen.ts';
import { type ReadSources, readHandlers } from './reads.ts';
import { rolloutChangeHandlers } from './rollout-changes.ts';
import { rolloutReadHandlers } from './rollout-reads.ts';
import { watchHandlers } from './watches.ts';

export type { ControllerInfo } from './reads.ts';

export interface AdminServerOptions extends ReadSources {
  /** Absolute path of the Unix socket; absent: none. */
  readonly socket?: string;
  /** `host:port`; absent: none. Whoever can connect there may do everything. */
  readonly address?: string;
  /** Told of errors that no client caused. */
  readonly onFault: FaultListener;
  /** Calls that come before this wait for it, except GetInfo. */
  readonly ready: Promise<void>;
}

export interface AdminServer {
  /** `unix:/path`, `host:port`. */
  readonly addresses: readonly string[];
  /** Serves a connection that another one listened for. */
  accept(socket: Socket): void;
  /** What the health service answers; not serving until told otherwise. */
  setServing(serving: boolean): void;
  /** Takes no new calls, ends watches, lets other calls answer for a moment, then closes. */
  close(): Promise<void>;
}

/** Largest request, in bytes; a document may have 1 MiB. */
const LARGEST_REQUEST = 8 * 1024 * 1024;
/** How long calls may take to answer while closing, in milliseconds. */
const CLOSE_GRACE = 2000;

/** Listens and serves. Throws ListenError where a place cannot be had; then nothing is left behind. */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const stopping = new AbortController();
  const server = new Server({
    'grpc.max_receive_message_length': LARGEST_REQUEST,
    'grpc.max_send_message_length': -1,
    'grpc.enable_channelz': 0,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  const stopped = new Promise<never>((_, reject) => {
    stopping.signal.addEventListener('abort', () => reject(STOPPING), { once: true });
  });
  const ready = Promise.race([options.ready, stopped]);
  // Without a call nobody waits for it, and then its rejection is no news.
  ready.catch(() => undefined);
  const environment = { onFault: options.onFault, ready, stopping: stopping.signal };
  const handlers = {
    ...readHandlers(options),
    ...changeHandlers(options.operations, options.onFault),
    ...rolloutReadHandlers(options.operations),
    ...rolloutChangeHandlers(options.operations, options.onFault),
    ...delegateHandlers(options.operations, options.onFault),
    ...watchHandlers(options),
  };
  server.addService(adminDefinition, implementation(handlers, environment));
  const health = new HealthImplementation({ '': 'NOT_SERVING', [AdminService.typeName]: 'NOT_SERVING' });
  health.addToServer(server);
  reflection().addToServer(server);

  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const accept = (socket: Socket) => injector.injectConnection(socket);
  const places: Listening[] = [];
  try {
    if (options.socket !== undefined) places.push(await listenOnSocket(options.socket, accept));
    if (options.address !== undefined) places.push(await listenOnAddress(options.address, accept));
  } catch (error) {
    for (const place of places) await place.close();
    throw error;
  }

  const setServing = (serving: boolean) => {
    for (const name of ['', AdminService.typeName])
      health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  return {
    addresses: places.map(({ address }) => address),
    accept,
    setServing,
    async close() {
      setServing(false);
      const closing = places.map((place) => place.close());
      stopping.abort();
      const finished = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      await Promise.race([finished, sleep(CLOSE_GRACE, undefined, { ref: false })]);
      server.forceShutdown();
      await Promise.all(closing);
    },
  };
}

/** Reflection over the files that the service is made of. */
function reflection(): ReflectionService {
  const files = new Map<string, DescFile>();
  const collect = (file: DescFile) => {
    for (const dependency of file.dependencies) collect(dependency);
    files.set(file.name, file);
  };
  collect(AdminService.file);
  const fileDescriptorProtos = [...files.values()].map((file) =>
    Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto)),
  );
  return new ReflectionService(
    {
      [AdminService.typeName]: {
        format: 'Protocol Buffer 3 DescriptorProto',
        type: {},
        fileDescriptorProtos,
      },
    },
    { services: [AdminService.typeName] },
  );
}
