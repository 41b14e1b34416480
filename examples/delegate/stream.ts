/**
 * One stream to a manager, by way of the gateway: the pin of the version, the marker that a pin was meant, keepalive. What
 * is sent goes in, what comes goes to a listener, and the way it ended is told once.
 */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import {
  type ConnectRequest,
  ConnectRequestSchema,
  type ConnectResponse,
  ConnectResponseSchema,
  DelegateGateway,
} from '../../src/gen/examples/delegate/v1/delegate_pb.js';
import type { DelegateOptions } from './options.ts';

/** How a stream ended. */
export type StreamEnd =
  /** The proxy knows no such version: asking again is of no use. */
  | { readonly kind: 'VersionNotActive'; readonly reason: string; readonly activeVersions: string }
  | { readonly kind: 'Lost'; readonly reason: string };

export interface StreamListener {
  onMessage(message: ConnectResponse): void;
  /** Once; nothing comes after it. */
  onEnd(end: StreamEnd): void;
}

const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;
const CONNECT_WITHIN_MS = 15_000;
/** Messages that wait for a slow network before logs are left out. */
const QUEUE = 64;

export class DelegateStream {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  #hasEnded = false;

  constructor(options: DelegateOptions, listener: StreamListener) {
    const { gateway, authority } = options;
    this.#client = new Client(gateway, credentials.createInsecure(), {
      'grpc.keepalive_time_ms': KEEPALIVE_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.keepalive_permit_without_calls': 1,
      // The delegate decides itself when to try again, and on a connection of its own.
      'grpc.enable_retries': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.max_receive_message_length': 4 * 1024 * 1024,
      'grpc.max_send_message_length': 4 * 1024 * 1024,
      ...(authority !== undefined && { 'grpc.default_authority': authority }),
    });
    this.#call = this.#client.makeBidiStreamRequest(
      `/${DelegateGateway.typeName}/${DelegateGateway.method.connect.name}`,
      (message: ConnectRequest) => Buffer.from(toBinary(ConnectRequestSchema, message)),
      (bytes: Buffer) => fromBinary(ConnectResponseSchema, bytes),
      metadataOf(options),
    );
    const end = (how: StreamEnd) => {
      if (this.#hasEnded) return;
      this.#hasEnded = true;
      clearTimeout(late);
      this.#client.close();
      listener.onEnd(how);
    };
    const late = setTimeout(() => {
      end({ kind: 'Lost', reason: `nobody answered within ${CONNECT_WITHIN_MS} ms` });
      this.#call.cancel();
    }, CONNECT_WITHIN_MS);
    this.#call.on('data', (message: ConnectResponse) => {
      clearTimeout(late);
      if (!this.#hasEnded) listener.onMessage(message);
    });
    this.#call.on('error', (error: ServiceError) => end(endOf(error)));
    this.#call.on('end', () => end({ kind: 'Lost', reason: 'the manager ended the stream' }));
  }

  send(message: MessageInitShape<typeof ConnectRequestSchema>['message']): void {
    if (!this.#hasEnded && message !== undefined) this.#call.write(create(ConnectRequestSchema, { message }));
  }

  /** For what may be left out: false where the network is behind. */
  offer(message: MessageInitShape<typeof ConnectRequestSchema>['message']): boolean {
    if (this.#hasEnded || this.#call.writableLength >= QUEUE) return false;
    this.send(message);
    return true;
  }

  /** Says that nothing more comes; the other side ends the stream. */
  close(): void {
    if (!this.#hasEnded) this.#call.end();
  }

  /** Cuts it off. */
  cancel(): void {
    this.#call.cancel();
  }
}

function metadataOf({ version, tenant, box }: DelegateOptions): Metadata {
  const metadata = new Metadata();
  metadata.set('x-delegate-version', version);
  metadata.set('x-delegate-pinned', 'true');
  metadata.set('x-tenant-id', tenant);
  metadata.set('x-delegate-box', box);
  return metadata;
}

function endOf(error: ServiceError): StreamEnd {
  const text = (name: string) => error.metadata?.get(name)[0]?.toString() ?? '';
  if (error.code === status.FAILED_PRECONDITION && text('x-switchyard-code') === 'VERSION_NOT_ACTIVE') {
    return {
      kind: 'VersionNotActive',
      reason: error.details,
      activeVersions: text('x-switchyard-active-versions'),
    };
  }
  return { kind: 'Lost', reason: `${status[error.code] ?? error.code}: ${error.details}` };
}
