/**
 * One Follow stream from its first message to its end. A watcher that reads slowly costs only itself: what it has not
 * read is never queued, it is told the newest when it reads again. One that sends too fast is read more slowly.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import {
  type FollowRequest,
  FollowRequestSchema,
  FollowResponseSchema,
} from '../gen/switchyard/watcher/v1/watcher_pb.js';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { Clock } from '../ports/clock.ts';
import type { WatcherConnection, Watchers } from '../ports/watchers.ts';
import { followResponse } from './format.ts';
import type { WatcherObserver } from './observer.ts';
import type { Outbox } from './outbox.ts';
import { InvalidMessageError, parseIdentity, parseReport } from './parse.ts';
import { type Refusal, refusal, refusalOf } from './refusal.ts';

export type FollowCall = ServerDuplexStream<Buffer, Buffer>;

/** How long the server waits for a watcher. */
export interface FollowTimes {
  /** For the first message. */
  readonly firstMessage: Milliseconds;
  /** How often a watcher shall report at least; after three times that it counts as gone. */
  readonly heartbeat: Milliseconds;
}

export interface FollowContext {
  readonly watchers: Watchers;
  readonly clock: Clock;
  readonly times: FollowTimes;
  readonly observer: WatcherObserver;
  readonly outbox: Outbox<Follower>;
  /** All streams that are open. */
  readonly followers: Set<Follower>;
}

/** The least time between two messages of a watcher before it is read more slowly. */
const MESSAGE_SPACING: Milliseconds = 100;

export class Follower {
  readonly #context: FollowContext;
  readonly #call: FollowCall;
  #connection: WatcherConnection | undefined;
  #heard: Instant;
  #changedAt: Instant | undefined;
  #isFull = false;
  #isOver = false;

  private constructor(context: FollowContext, call: FollowCall) {
    this.#context = context;
    this.#call = call;
    this.#heard = context.clock.now();
  }

  /** Serves a stream until it ends. */
  static serve(context: FollowContext, call: FollowCall): void {
    const follower = new Follower(context, call);
    context.followers.add(follower);
    follower.#listen();
  }

  #listen(): void {
    const call = this.#call;
    call.on('data', (bytes: Buffer) => this.#guard(() => this.#receive(bytes)));
    call.on('end', () => this.#leave(() => call.end()));
    call.on('cancelled', () => this.#leave());
    call.on('error', () => this.#leave());
    call.on('drain', () => {
      this.#isFull = false;
      if (this.#changedAt !== undefined) this.#context.outbox.add(this);
    });
  }

  /** Sends what the watcher should know now, if anything. */
  tell(): void {
    this.#guard(() => {
      if (this.#isOver || this.#connection === undefined || this.#isFull) return;
      const { clock, times, observer } = this.#context;
      const waited = this.#changedAt === undefined ? 0 : clock.now() - this.#changedAt;
      this.#changedAt = undefined;
      const answer = this.#connection.answer();
      if (answer === undefined) return;
      const message = create(FollowResponseSchema, followResponse(answer, times.heartbeat));
      this.#isFull = !this.#call.write(Buffer.from(toBinary(FollowResponseSchema, message)));
      observer.told?.({ waited });
    });
  }

  /** Ends a stream whose watcher has been silent for too long. */
  expire(now: Instant): void {
    const { firstMessage, heartbeat } = this.#context.times;
    const patience = this.#connection === undefined ? firstMessage : 3 * heartbeat;
    if (after(this.#heard, patience) > now) return;
    this.#end(refusal(status.DEADLINE_EXCEEDED, `nothing was heard for ${patience} ms`));
  }

  #receive(bytes: Buffer): void {
    const { clock, watchers } = this.#context;
    const now = clock.now();
    const isFast = this.#connection !== undefined && after(this.#heard, MESSAGE_SPACING) > now;
    this.#heard = now;
    const { message, $unknown: unknown } = decode(bytes);
    if (message.case === 'identity' && this.#connection === undefined) {
      this.#connection = watchers.connect(parseIdentity(message.value), {
        changed: () => this.#changed(),
        replaced: () =>
          this.#end(
            refusal(status.ABORTED, 'another connection says that it is this watcher; this one is ended'),
          ),
      });
      this.#changed();
      return;
    }
    // A newer watcher may have more to say than this release understands.
    if (message.case === undefined && unknown !== undefined && this.#connection !== undefined) return;
    if (message.case !== 'report' || this.#connection === undefined) {
      throw new InvalidMessageError('message: an identity comes first, once; after it only reports');
    }
    this.#connection.report(parseReport(message.value, now));
    if (isFast) this.#readLater();
  }

  #readLater(): void {
    this.#call.pause();
    setTimeout(() => this.#call.resume(), MESSAGE_SPACING).unref();
  }

  #changed(): void {
    if (this.#isOver) return;
    this.#changedAt ??= this.#context.clock.now();
    if (!this.#isFull) this.#context.outbox.add(this);
  }

  #guard(act: () => void): void {
    try {
      if (!this.#isOver) act();
    } catch (error) {
      const known = refusalOf(error);
      if (known === undefined) this.#context.observer.fault?.(error);
      this.#end(known ?? refusal(status.INTERNAL, 'the controller failed; its log says why'));
    }
  }

  #end(why: Refusal): void {
    this.#leave(() => {
      this.#context.observer.ended?.({ address: this.#call.getPeer(), reason: why.details });
      this.#call.emit('error', why);
    });
  }

  #leave(last?: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.followers.delete(this);
    this.#context.outbox.delete(this);
    this.#connection?.close();
    last?.();
  }
}

function decode(bytes: Buffer): FollowRequest {
  try {
    return fromBinary(FollowRequestSchema, bytes);
  } catch (error) {
    throw new InvalidMessageError(`the message is no FollowRequest: ${(error as Error).message}`);
  }
}
