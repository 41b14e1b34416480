/**
 * The server that watchers talk to: accepts connections with a deep backlog, since thousands come at once when a
 * controller restarts, lets them in at a rate, and keeps one stream for each.
 */
import type { Socket } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import {
  type PollRequest,
  PollRequestSchema,
  PollResponseSchema,
  WatcherService,
} from '../gen/switchyard/watcher/v1/watcher_pb.js';
import { acceptForGrpc, listenForGrpc } from '../grpc-server/listener.ts';
import { RAW } from '../grpc-server/raw.ts';
import { POLL_INTERVAL } from '../model/goal-state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Watchers } from '../ports/watchers.ts';
import { Admission, type AdmissionRate } from './admission.ts';
import { type FollowCall, type FollowContext, Follower, type FollowTimes } from './follow.ts';
import { pollResponse } from './format.ts';
import type { Reception, WatcherObserver } from './observer.ts';
import { Outbox } from './outbox.ts';
import { InvalidMessageError, parseIdentity, parseReport } from './parse.ts';
import { comeBack, type Refusal, refusal, refusalOf } from './refusal.ts';

export interface WatcherServerOptions {
  readonly watchers: Watchers;
  readonly clock: Clock;
  /** Whether the state is loaded; before, everybody is asked to come back. */
  readonly isReady: () => boolean;
  readonly rate?: AdmissionRate;
  readonly times?: Partial<FollowTimes>;
  readonly observer?: WatcherObserver;
}

/** Serves the connections that it is handed. */
export interface WatcherDesk {
  accept(socket: Socket): void;
  /** Streams that are open. */
  streams(): number;
  /** Ends all streams. Watchers keep everything running and connect again. */
  close(): void;
}

export interface WatcherServer {
  readonly host: string;
  readonly port: number;
  /** Streams that are open. */
  streams(): number;
  /** Ends all streams and stops listening. */
  close(): Promise<void>;
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const DEFAULT_TIMES: FollowTimes = { firstMessage: 10_000, heartbeat: 30_000 };
/** A stream costs well under a millisecond to let in; the rest of the second is for everything else. */
const DEFAULT_RATE: AdmissionRate = { perSecond: 500, burst: 500 };
/** How often silent streams are looked for, in milliseconds. */
const SWEEP = 1_000;

/** Listens, and serves whoever comes. `port` 0 is any free one. Rejects where the address cannot be used. */
export async function startWatcherServer(
  options: WatcherServerOptions & { readonly host: string; readonly port: number },
): Promise<WatcherServer> {
  const { host, port } = options;
  const { server, streams, stop } = makeServer(options);
  const credentials = ServerCredentials.createInsecure();
  const listener = await listenForGrpc({ server, credentials, host, port, tcpKeepAlive: true });
  return {
    host,
    port: listener.port,
    streams,
    async close() {
      stop();
      await listener.close();
    },
  };
}

/** Serves without listening. */
export function openWatcherDesk(options: WatcherServerOptions): WatcherDesk {
  const { server, streams, stop } = makeServer(options);
  const acceptor = acceptForGrpc(server, ServerCredentials.createInsecure());
  return {
    accept: (socket) => acceptor.accept(socket),
    streams,
    close() {
      stop();
      acceptor.close();
    },
  };
}

function makeServer(options: WatcherServerOptions): {
  readonly server: Server;
  readonly streams: () => number;
  readonly stop: () => void;
} {
  const desk = new Desk(options);
  const server = new Server({
    'grpc.enable_channelz': 0,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  });
  server.addService(SERVICE, {
    follow: (call: FollowCall) => desk.follow(call),
    poll: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
      desk.poll(call, callback),
  });
  const sweep = setInterval(() => desk.expire(options.clock.now()), SWEEP).unref();
  return {
    server,
    streams: () => desk.streams,
    stop() {
      clearInterval(sweep);
      desk.stop();
    },
  };
}

const SERVICE = {
  follow: { path: `/${WatcherService.typeName}/Follow`, requestStream: true, responseStream: true, ...RAW },
  poll: { path: `/${WatcherService.typeName}/Poll`, requestStream: false, responseStream: false, ...RAW },
};

/** Receives whoever comes. */
class Desk {
  readonly #options: WatcherServerOptions;
  readonly #observer: WatcherObserver;
  readonly #admission: Admission;
  readonly #context: FollowContext;

  constructor(options: WatcherServerOptions) {
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#admission = new Admission(options.rate ?? DEFAULT_RATE);
    this.#context = {
      watchers: options.watchers,
      clock: options.clock,
      times: { ...DEFAULT_TIMES, ...options.times },
      observer: this.#observer,
      outbox: new Outbox((follower) => follower.tell()),
      followers: new Set(),
    };
  }

  get streams(): number {
    return this.#context.followers.size;
  }

  follow(call: FollowCall): void {
    const refused = this.#receive('follow');
    if (refused === undefined) Follower.serve(this.#context, call);
    else call.emit('error', refused);
  }

  poll(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    const refused = this.#receive('poll');
    if (refused !== undefined) {
      callback(refused);
      return;
    }
    try {
      const { identity, report } = decodePoll(call.request);
      if (report === undefined) throw new InvalidMessageError('report: a poll must say how the box stands');
      const parsed = parseReport(report, this.#options.clock.now());
      const answer = this.#options.watchers.poll(parseIdentity(identity), parsed);
      const message = create(PollResponseSchema, pollResponse(answer, POLL_INTERVAL));
      callback(null, Buffer.from(toBinary(PollResponseSchema, message)));
    } catch (error) {
      const known = refusalOf(error);
      if (known === undefined) this.#observer.fault?.(error);
      callback(known ?? refusal(status.INTERNAL, 'the controller failed; its log says why'));
    }
  }

  expire(now: Parameters<Follower['expire']>[0]): void {
    for (const follower of this.#context.followers) follower.expire(now);
  }

  stop(): void {
    this.#context.outbox.stop();
  }

  /** Undefined where there is room for one more now. */
  #receive(way: 'follow' | 'poll'): Refusal | undefined {
    const { isReady, clock } = this.#options;
    const outcome = (reception: Reception): void => this.#observer.received?.({ way, reception });
    if (!isReady()) {
      outcome('Refused');
      return refusal(status.UNAVAILABLE, 'the state is not loaded yet; try again');
    }
    const admitted = this.#admission.admit(clock.now());
    outcome(admitted.kind);
    return admitted.kind === 'Admitted' ? undefined : comeBack(admitted.after);
  }
}

function decodePoll(bytes: Buffer): PollRequest {
  try {
    return fromBinary(PollRequestSchema, bytes);
  } catch (error) {
    throw new InvalidMessageError(`the message is no PollRequest: ${(error as Error).message}`);
  }
}
