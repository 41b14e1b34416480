/** gRPC clients on @grpc/grpc-js, the stock client, with its retries off so that no failure is hidden. */
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Manager } from '../../../../src/gen/examples/manager/v1/manager_pb.js';
import type { Outcome } from '../samples.ts';
import { ANSWER_WITHIN_MS, answered, askingHeaders, failed, VERSION_HEADER } from './answer.ts';
import type {
  Address,
  OpenStream,
  RequestClient,
  StreamClient,
  StreamListener,
  StreamMessage,
  Wish,
} from './client.ts';

/** Requests; each client has one channel. */
export class GrpcClient implements RequestClient {
  readonly #client: Client;

  constructor(address: Address) {
    this.#client = connectTo(address);
  }

  send(wish: Wish): Promise<Outcome> {
    const { method, input, output } = wireOf('whoAmI');
    return new Promise((resolve) => {
      let routedVersion: string | undefined;
      const call = this.#client.makeUnaryRequest(
        method,
        input.encode,
        output.decode,
        input.make(),
        metadataOf(wish),
        { deadline: Date.now() + ANSWER_WITHIN_MS },
        (error, response) => {
          if (error !== null) resolve(outcomeOf(error));
          else if (response === undefined) resolve(failed('an answer without a message'));
          else resolve(answered(response.version, routedVersion));
        },
      );
      call.on('metadata', (metadata) => {
        routedVersion = textOf(metadata);
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Streams from the server alone (`watch`) or both ways (`work`). */
export class GrpcStreamClient implements StreamClient {
  readonly #client: Client;
  readonly #kind: 'watch' | 'work';

  constructor(address: Address, kind: 'watch' | 'work') {
    this.#client = connectTo(address);
    this.#kind = kind;
  }

  open(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    return this.#kind === 'watch' ? this.#watch(wish, listener) : this.#work(wish, listener);
  }

  close(): void {
    this.#client.close();
  }

  #watch(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    const { method, input, output } = wireOf('watch');
    const request = input.make({ intervalMs: wish.tickMs });
    const call = this.#client.makeServerStreamRequest(
      method,
      input.encode,
      output.decode,
      request,
      metadataOf(wish),
    );
    return listen(call, listener);
  }

  #work(wish: Wish & { tickMs: number }, listener: StreamListener): OpenStream {
    const { method, input, output } = wireOf('work');
    const call = this.#client.makeBidiStreamRequest(method, input.encode, output.decode, metadataOf(wish));
    const send = () => void call.write(input.make({ payload: 'still here' }));
    send();
    const timer = setInterval(send, wish.tickMs);
    const stream = listen(call, {
      onMessage: (message, routedVersion) => listener.onMessage(message, routedVersion),
      onEnd: (outcome) => {
        clearInterval(timer);
        listener.onEnd(outcome);
      },
    });
    return stream;
  }
}

interface ReadableCall {
  on(event: 'metadata', listener: (metadata: Metadata) => void): unknown;
  on(event: 'data', listener: (message: StreamMessage) => void): unknown;
  on(event: 'error', listener: (error: ServiceError) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  cancel(): void;
}

function listen(call: ReadableCall, listener: StreamListener): OpenStream {
  let routedVersion: string | undefined;
  call.on('metadata', (metadata) => {
    routedVersion = textOf(metadata);
  });
  call.on('data', (message) => listener.onMessage(message, routedVersion));
  call.on('error', (error) => listener.onEnd(outcomeOf(error)));
  call.on('end', () => listener.onEnd(failed('the other side ended the stream')));
  return { close: () => call.cancel() };
}

function connectTo({ host, port, authority }: Address): Client {
  return new Client(`${host}:${port}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    // Without this, clients of one process that talk to one address would share a connection.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.service_config_disable_resolution': 1,
    ...(authority === undefined ? {} : { 'grpc.default_authority': authority }),
  });
}

type Methods = typeof Manager.method;

function wireOf<Name extends keyof Methods>(name: Name) {
  const method = Manager.method[name];
  return {
    method: `/${Manager.typeName}/${method.name}`,
    input: codec<Methods[Name]['input']>(method.input),
    output: codec<Methods[Name]['output']>(method.output),
  };
}

function codec<Schema extends DescMessage>(schema: Schema) {
  return {
    make: (init?: MessageInitShape<Schema>): MessageShape<Schema> => create(schema, init),
    encode: (message: MessageShape<Schema>) => Buffer.from(toBinary(schema, message)),
    decode: (bytes: Buffer): MessageShape<Schema> => fromBinary(schema, bytes),
  };
}

function metadataOf(wish: Wish): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(askingHeaders(wish))) metadata.set(name, value);
  return metadata;
}

function textOf(metadata: Metadata): string | undefined {
  return metadata.get(VERSION_HEADER)[0]?.toString();
}

function outcomeOf(error: ServiceError): Outcome {
  // The manager itself never gives this code, so it comes from the proxy.
  if (error.code === status.FAILED_PRECONDITION) return { kind: 'refused' };
  return { kind: 'failed', reason: `${status[error.code]}: ${error.details}` };
}
