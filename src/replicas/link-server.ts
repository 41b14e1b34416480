/**
 * The leader's side of what replicas tell each other. Every replica listens; one that does not lead sends followers away,
 * and one that steps down ends their streams.
 */

import type { Socket } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  FollowRequestSchema,
  FollowResponseSchema,
  ReplicaService,
} from '../gen/switchyard/replica/v1/replica_pb.js';
import { acceptForGrpc } from '../grpc-server/listener.ts';
import { RAW } from '../grpc-server/raw.ts';
import type { FollowerSession, LeadingPublisher } from './leading.ts';
import { reportOf } from './messages.ts';

export interface LinkServer {
  accept(socket: Socket): void;
  /** From here on followers are taken. Returns how to step down, which ends their streams. */
  lead(publisher: LeadingPublisher): () => void;
  close(): void;
}

type Call = ServerDuplexStream<Buffer, Buffer>;

interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** Of the first message, which has all proxies of a replica: some hundred bytes each. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
/** A replica that was cut off is noticed within these. */
const KEEPALIVE_MS = 5_000;
const KEEPALIVE_TIMEOUT_MS = 3_000;

/** The one method, in bytes. */
export const FOLLOW = {
  path: `/${ReplicaService.typeName}/Follow`,
  requestStream: true,
  responseStream: true,
  ...RAW,
};

export const LINK_OPTIONS = {
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
};

/** Serves the connections that it is handed. `services`: what else replicas call. */
export function openLinkServer(services: readonly GrpcService[] = []): LinkServer {
  let leading: { readonly publisher: LeadingPublisher; readonly calls: Set<Call> } | undefined;
  const server = new Server(LINK_OPTIONS);
  server.addService(
    { follow: FOLLOW },
    {
      follow: (call: Call) => {
        if (leading === undefined)
          refuse(call, status.FAILED_PRECONDITION, 'this replica does not lead; ask the lease who does');
        else serve(call, leading);
      },
    },
  );
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  const acceptor = acceptForGrpc(server, ServerCredentials.createInsecure());
  return {
    accept: (socket) => acceptor.accept(socket),
    lead(publisher) {
      const own = { publisher, calls: new Set<Call>() };
      leading = own;
      return () => {
        if (leading === own) leading = undefined;
        for (const call of own.calls)
          refuse(call, status.FAILED_PRECONDITION, 'this replica does not lead any more');
      };
    },
    close: () => acceptor.close(),
  };
}

function serve(
  call: Call,
  { publisher, calls }: { readonly publisher: LeadingPublisher; readonly calls: Set<Call> },
): void {
  let session: FollowerSession | undefined;
  const tell = (): void => {
    const message = create(FollowResponseSchema, { commit: BigInt(publisher.commit) });
    call.write(Buffer.from(toBinary(FollowResponseSchema, message)));
  };
  const unsubscribe = publisher.onPublished(tell);
  const end = (): void => {
    unsubscribe();
    calls.delete(call);
    session?.ended();
  };
  calls.add(call);
  call.on('data', (bytes: Buffer) => {
    try {
      const request = fromBinary(FollowRequestSchema, bytes);
      const report = reportOf(request);
      session ??= publisher.follow(request.replica);
      session.report(report);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      refuse(call, status.INVALID_ARGUMENT, error.message);
    }
  });
  call.on('end', () => {
    end();
    call.end();
  });
  call.on('cancelled', end);
  call.on('error', end);
  tell();
}

function refuse(call: Call, code: status, details: string): void {
  call.emit('error', { code, details });
}
