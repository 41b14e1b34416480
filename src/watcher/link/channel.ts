/** WatcherService as a client sees it: one stream, or one poll; how it ended leaves, never an exception. */
import { readFileSync } from 'node:fs';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import {
  FollowRequestSchema,
  FollowResponseSchema,
  PollRequestSchema,
  PollResponseSchema,
  WatcherService,
} from '../../gen/switchyard/watcher/v1/watcher_pb.js';
import type { WatcherIdentity, WatcherReport } from '../../model/goal-state.ts';
import type { Milliseconds } from '../../model/instant.ts';
import type { ControllerAddress } from '../../model/watcher.ts';
import { type Answer, answerOfFollow, answerOfPoll, identityMessage, reportMessage } from './wire.ts';

/** Why a call ended. `comeBackAfter`: the controller lets watchers in at a rate, and said when. */
export interface CallEnd {
  readonly reason: string;
  readonly comeBackAfter?: Milliseconds;
}

export interface OpenStream {
  /** Says how the box stands. */
  report(report: WatcherReport): void;
  readonly ended: Promise<CallEnd>;
}

const MOST_BYTES = 4 * 1024 * 1024;
const POLL_DEADLINE: Milliseconds = 20_000;
/** A connection on which nothing can be heard any more is noticed by pings. */
const PING_INTERVAL: Milliseconds = 30_000;
const PING_TIMEOUT: Milliseconds = 10_000;

export class Channel {
  readonly #client: Client;
  readonly #identity: WatcherIdentity;

  /** Nothing is sent before the first call. Throws where the file of certificates cannot be read. */
  constructor(controller: ControllerAddress, identity: WatcherIdentity) {
    const { address, tls, caFile } = controller;
    const ca = caFile === undefined ? null : readFileSync(caFile);
    this.#client = new Client(address, tls ? credentials.createSsl(ca) : credentials.createInsecure(), {
      'grpc.keepalive_time_ms': PING_INTERVAL,
      'grpc.keepalive_timeout_ms': PING_TIMEOUT,
      'grpc.max_receive_message_length': MOST_BYTES,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
      'grpc.service_config_disable_resolution': 1,
      // Its own waits would come on top of ours.
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
    });
    this.#identity = identity;
  }

  /** Opens a stream and says who we are and how the box stands. */
  follow(work: {
    readonly report: WatcherReport;
    readonly onAnswer: (answer: Answer) => void;
    readonly signal: AbortSignal;
  }): OpenStream {
    const call: ClientDuplexStream<Buffer, Buffer> = this.#client.makeBidiStreamRequest(
      pathOf(WatcherService.method.follow),
      asIs,
      asIs,
    );
    const send = (message: MessageInitShape<typeof FollowRequestSchema>['message']): void => {
      call.write(
        Buffer.from(
          toBinary(FollowRequestSchema, create(FollowRequestSchema, { message: message as never })),
        ),
      );
    };
    const report = (said: WatcherReport): void =>
      send({ case: 'report', value: reportMessage(said) } as never);
    const ended = endOf(call, work.signal);
    call.on('data', (bytes: Buffer) => {
      try {
        work.onAnswer(answerOfFollow(fromBinary(FollowResponseSchema, bytes)));
      } catch (error) {
        call.emit('error', new Error(`the controller's answer makes no sense: ${(error as Error).message}`));
        call.cancel();
      }
    });
    send({ case: 'identity', value: identityMessage(this.#identity) } as never);
    report(work.report);
    return { report, ended };
  }

  /** One report, one answer; or why there was none. */
  poll(report: WatcherReport, signal: AbortSignal): Promise<Answer | CallEnd> {
    const request = create(PollRequestSchema, {
      identity: identityMessage(this.#identity),
      report: reportMessage(report),
    });
    return new Promise((resolve) => {
      const call = this.#client.makeUnaryRequest<Buffer, Buffer>(
        pathOf(WatcherService.method.poll),
        asIs,
        asIs,
        Buffer.from(toBinary(PollRequestSchema, request)),
        { deadline: Date.now() + POLL_DEADLINE },
        (error, bytes) => {
          if (error !== null) resolve(callEnd(error));
          else resolve(readPoll(bytes ?? Buffer.alloc(0)));
        },
      );
      signal.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  close(): void {
    this.#client.close();
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;

function pathOf(method: { readonly name: string }): string {
  return `/${WatcherService.typeName}/${method.name}`;
}

function readPoll(bytes: Buffer): Answer | CallEnd {
  try {
    return answerOfPoll(fromBinary(PollResponseSchema, bytes));
  } catch (error) {
    return { reason: `the controller's answer makes no sense: ${(error as Error).message}` };
  }
}

function endOf(call: ClientDuplexStream<Buffer, Buffer>, signal: AbortSignal): Promise<CallEnd> {
  const cancel = (): void => call.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  return new Promise((resolve) => {
    const end = (how: CallEnd): void => {
      signal.removeEventListener('abort', cancel);
      resolve(how);
    };
    call.on('error', (error: ServiceError) => end(callEnd(error)));
    call.on('end', () => end({ reason: 'the controller ended the stream' }));
  });
}

function callEnd({ code, details, message, metadata }: ServiceError): CallEnd {
  const after = Number(metadata?.get('retry-after-ms')[0]);
  const name = code === undefined ? '' : `${status[code]}: `;
  return {
    reason: `${name}${details || message}`,
    ...(Number.isFinite(after) && after >= 0 && { comeBackAfter: after }),
  };
}
