/** A scripted watcher on the real wire: it sends what a test says, well-formed or not, and shows what comes, in order. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  FollowRequestSchema,
  type FollowResponse,
  FollowResponseSchema,
  type IdentitySchema,
  PollRequestSchema,
  type PollResponse,
  PollResponseSchema,
  type ReportSchema,
  BoxVersionState as StateNumber,
} from '../../src/gen/switchyard/watcher/v1/watcher_pb.js';
import type { BoxVersionState, WatcherReport } from '../../src/model/goal-state.ts';
import { eventually } from './eventually.ts';

const FOLLOW = '/switchyard.watcher.v1.WatcherService/Follow';
const POLL = '/switchyard.watcher.v1.WatcherService/Poll';

export type IdentityFields = MessageInitShape<typeof IdentitySchema>;
export type ReportFields = MessageInitShape<typeof ReportSchema>;

const asIs = (bytes: Buffer): Buffer => bytes;

const STATE_NUMBERS: Readonly<Record<BoxVersionState, StateNumber>> = {
  WaitingForWindow: StateNumber.WAITING_FOR_WINDOW,
  Refused: StateNumber.REFUSED,
  Fetching: StateNumber.FETCHING,
  ArtifactFailed: StateNumber.ARTIFACT_FAILED,
  Starting: StateNumber.STARTING,
  Ready: StateNumber.READY,
  Unready: StateNumber.UNREADY,
  CrashLooping: StateNumber.CRASH_LOOPING,
  Switching: StateNumber.SWITCHING,
  Draining: StateNumber.DRAINING,
};

/** A report of the model, as a watcher sends it. */
export function reportFields(report: WatcherReport): ReportFields {
  return {
    seen: BigInt(report.seen),
    applied: BigInt(report.applied),
    refusal: report.refusal,
    diskFree: BigInt(report.diskFree),
    versions: report.versions.map(({ state, since, ...version }) => ({
      ...version,
      state: STATE_NUMBERS[state],
      since: timestampFromMs(since),
    })),
  };
}

/** One connection to a watcher server, on which any number of streams and polls may go. */
export class WatcherClient {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.max_send_message_length': -1,
    });
  }

  follow(identity?: IdentityFields): WatcherStream {
    const stream = new WatcherStream(this.#client.makeBidiStreamRequest(FOLLOW, asIs, asIs));
    if (identity !== undefined) stream.identify(identity);
    return stream;
  }

  poll(identity: IdentityFields, report: ReportFields): Promise<PollResponse> {
    const message = create(PollRequestSchema, { identity, report });
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        POLL,
        asIs,
        asIs,
        Buffer.from(toBinary(PollRequestSchema, message)),
        (error, bytes) => {
          if (error === null && bytes !== undefined) resolve(fromBinary(PollResponseSchema, bytes));
          else reject(error ?? new Error('no answer'));
        },
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** How a stream ended. */
export interface StreamEnd {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

export class WatcherStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly answers: FollowResponse[] = [];
  #end: StreamEnd | undefined;
  #listener: (answer: FollowResponse) => void = () => {};

  constructor(call: ClientDuplexStream<Buffer, Buffer>) {
    this.#call = call;
    call.on('data', (bytes: Buffer) => {
      const answer = fromBinary(FollowResponseSchema, bytes);
      this.answers.push(answer);
      this.#listener(answer);
    });
    call.on('error', (error: ServiceError) => {
      this.#end = error;
    });
    call.on('status', (end: StreamEnd) => {
      this.#end ??= end;
    });
  }

  /** Calls back with each answer from now on. */
  onAnswer(listener: (answer: FollowResponse) => void): void {
    this.#listener = listener;
  }

  identify(identity: IdentityFields): void {
    this.#send({ message: { case: 'identity', value: identity } });
  }

  report(report: ReportFields): void {
    this.#send({ message: { case: 'report', value: report } });
  }

  sendBytes(bytes: Uint8Array): void {
    this.#call.write(Buffer.from(bytes));
  }

  /** Reads nothing more, until `resume`. */
  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  cancel(): void {
    this.#call.cancel();
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  /** The newest answer. */
  get last(): FollowResponse | undefined {
    return this.answers.at(-1);
  }

  /** Waits for the n-th answer, the first being 1. */
  async answer(n: number): Promise<FollowResponse> {
    return eventually(() => this.answers[n - 1], { what: `answer ${n}` });
  }

  /** Waits until the newest answer is for this generation. */
  async generation(generation: number): Promise<FollowResponse> {
    return eventually(
      () => (Number(this.last?.goalState?.generation ?? -1) === generation ? this.last : undefined),
      { what: `generation ${generation}` },
    );
  }

  async ended(): Promise<StreamEnd> {
    return eventually(() => this.#end, { what: 'the end of the stream' });
  }

  #send(message: MessageInitShape<typeof FollowRequestSchema>): void {
    this.#call.write(Buffer.from(toBinary(FollowRequestSchema, create(FollowRequestSchema, message))));
  }
}
