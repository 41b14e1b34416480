/**
 * One bounded gRPC call to an instance: method and request enter, the message leaves, or an error in words. Every call
 * has its own connection, so that a pooled one does not count as open work.
 */

import type { DescMessage } from '@bufbuild/protobuf';
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import type { Milliseconds } from '../model/instant.ts';
import type { SocketAddress } from '../model/spec.ts';

/** What to ask, and how long and how large the answer may be. */
export interface GrpcCall<Input extends DescMessage, Output extends DescMessage> {
  readonly address: SocketAddress;
  readonly method: DescMethodUnary<Input, Output>;
  readonly request: MessageInitShape<Input>;
  readonly timeout: Milliseconds;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** Rejects where no whole answer came in time and size. */
export async function callGrpc<Input extends DescMessage, Output extends DescMessage>(
  wanted: GrpcCall<Input, Output>,
): Promise<MessageShape<Output>> {
  const { address, method, request, timeout, maxBytes, signal } = wanted;
  if (signal.aborted) throw new Error('the round was ended before it was asked');
  const { host, port } = address;
  // No proxy and no shared channel: this instance is asked, now.
  const client = new Client(
    host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    credentials.createInsecure(),
    {
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': maxBytes,
    },
  );
  try {
    return await new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest<MessageShape<Input>, MessageShape<Output>>(
        `/${method.parent.typeName}/${method.name}`,
        (message) => Buffer.from(toBinary(method.input, message)),
        (bytes) => fromBinary(method.output, bytes),
        create(method.input, request),
        { deadline: Date.now() + timeout },
        (error, answer) => {
          if (error === null && answer !== undefined) resolve(answer);
          else reject(explained(error, wanted));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

function explained(
  error: ServiceError | null,
  { method, timeout, signal }: Pick<GrpcCall<DescMessage, DescMessage>, 'method' | 'timeout' | 'signal'>,
): Error {
  if (signal.aborted) return new Error('the round was ended before it answered', { cause: error });
  if (error?.code === grpcStatus.DEADLINE_EXCEEDED) {
    return new Error(`no answer within ${timeout} ms`, { cause: error });
  }
  const code = error === null ? 'nothing' : grpcStatus[error.code];
  const details = error === null || error.details === '' ? '' : `: ${error.details}`;
  return new Error(`${method.name} answered ${code}${details}`, { cause: error });
}
