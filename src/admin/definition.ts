/**
 * The bridge from the generated descriptors to @grpc/grpc-js: a service definition, and handlers that it can call.
 * A watch is pulled, never pushed: its next message is made when the connection can take it, so a slow reader costs
 * one message of memory and gets the newest view.
 */
import { once } from 'node:events';
import { create, type DescMethod, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  MethodDefinition,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  sendUnaryData,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { OperationError } from '../operations/types.ts';
import { AdminService, type CallFacts, type Handlers } from './contract.ts';
import { statusOf } from './errors.ts';

/** The service as grpc-js wants it. */
export const adminDefinition: ServiceDefinition = Object.fromEntries(
  AdminService.methods.map((method) => [method.localName, methodDefinition(method)]),
);

/** The path and codec of one method. */
export function methodDefinition(method: DescMethod): MethodDefinition<unknown, unknown> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: (message) => Buffer.from(toBinary(method.input, message as never)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => Buffer.from(toBinary(method.output, message as never)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

/** Told of errors that no client caused. */
export type FaultListener = (fault: { method: string; error: unknown }) => void;

/** What every call needs beside its handler. */
export interface CallEnvironment {
  readonly onFault: FaultListener;
  /** Calls wait for this, all but GetInfo: before the state is loaded nothing can be decided. Rejects when it never is. */
  readonly ready: Promise<void>;
  /** Aborted when the server stops: waits end early with what they know, watches end with UNAVAILABLE. */
  readonly stopping: AbortSignal;
}

type AnyUnary = (request: unknown, call: CallFacts) => Promise<never>;
type AnyWatch = (request: unknown, call: CallFacts) => AsyncIterable<never>;

/** Wraps each handler: errors become a status with details, and a client that goes away aborts the signal. */
export function implementation(
  handlers: Handlers,
  environment: CallEnvironment,
): UntypedServiceImplementation {
  return Object.fromEntries(
    AdminService.methods.map((method) => {
      const handler = handlers[method.localName as keyof Handlers];
      return [
        method.localName,
        method.methodKind === 'server_streaming'
          ? (call: ServerWritableStream<unknown, unknown>) =>
              watch({ method, call, handler: handler as AnyWatch, environment })
          : (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>) =>
              unary({ method, call, callback, handler: handler as AnyUnary, environment }),
      ];
    }),
  );
}

function unary(parts: {
  method: DescMethod;
  call: ServerUnaryCall<unknown, unknown>;
  callback: sendUnaryData<unknown>;
  handler: AnyUnary;
  environment: CallEnvironment;
}): void {
  const { method, call, callback, handler, environment } = parts;
  const facts = factsOf(call, environment);
  (isAlwaysAnswered(method) ? Promise.resolve() : environment.ready)
    .then(() => handler(call.request, facts))
    .then(
      (response) => callback(null, create(method.output, response)),
      (error: unknown) => callback(failure({ method, error, environment })),
    );
}

function isAlwaysAnswered(method: DescMethod): boolean {
  return method === AdminService.method.getInfo;
}

async function watch(parts: {
  method: DescMethod;
  call: ServerWritableStream<unknown, unknown>;
  handler: AnyWatch;
  environment: CallEnvironment;
}): Promise<void> {
  const { method, call, handler, environment } = parts;
  const facts = factsOf(call, environment);
  try {
    await environment.ready;
    for await (const response of handler(call.request, facts)) {
      if (facts.signal.aborted) break;
      if (!call.write(create(method.output, response))) await once(call, 'drain', { signal: facts.signal });
    }
    facts.signal.throwIfAborted();
    call.end();
  } catch (error) {
    if (call.cancelled) return;
    const reason = environment.stopping.aborted ? STOPPING : error;
    call.emit('error', failure({ method, error: reason, environment }));
  }
}

/** What calls are told that the server can no longer answer. */
export const STOPPING = new OperationError(
  'Unavailable',
  'the controller is stopping; connect again and go on',
);

function failure(parts: { method: DescMethod; error: unknown; environment: CallEnvironment }) {
  const { status, isFault } = statusOf(parts.error);
  if (isFault) parts.environment.onFault({ method: parts.method.name, error: parts.error });
  return status;
}

function factsOf(
  call: ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>,
  { stopping }: CallEnvironment,
): CallFacts {
  const gone = new AbortController();
  call.once('cancelled', () => gone.abort());
  const deadline = Number(call.getDeadline());
  return { signal: AbortSignal.any([gone.signal, stopping]), remaining: () => deadline - Date.now() };
}
