/**
 * Keeps a delegate connected: one stream after the other, each begun with a hello that names its open tasks, until it is
 * told to end. Results are sent on each stream until they are acknowledged.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ConnectResponse } from '../../src/gen/examples/delegate/v1/delegate_pb.js';
import { durationOf, leaseOf, outcomeMessage, valueOf } from './messages.ts';
import type { DelegateOptions } from './options.ts';
import { failuresAfter, type Patience, reconnectDelay } from './reconnect.ts';
import { DelegateStream, type StreamEnd } from './stream.ts';
import type { Work } from './work.ts';

/** Of one task's output; what comes after it is only in the result. */
const LONGEST_LOG = 4 * 1024 * 1024;
const LONGEST_PIECE = 64 * 1024;
/** How long a manager that said goodbye may still acknowledge. */
const LEAVING_MS = 5_000;
/** Least and most milliseconds between heartbeats, whatever the manager says. */
const HEARTBEATS = [50, 60_000] as const;

type Ended = StreamEnd | { readonly kind: 'Goodbye'; readonly reason: string };

export interface LinkOptions {
  readonly delegate: DelegateOptions;
  readonly patience: Patience;
  readonly work: Work;
  readonly log: Logger;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export class Link {
  readonly #options: LinkOptions;
  #connected = false;
  #refused: string | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** A manager has welcomed it on the stream that it has now. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why its version is not asked for any more; undefined where it is. */
  get versionNotActive(): string | undefined {
    return this.#refused;
  }

  /** Stays connected until the signal. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { patience, log, random } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const began = performance.now();
      const ended = await this.#live(signal);
      this.#connected = false;
      if (signal.aborted) return;
      // A goodbye is no failure.
      failures =
        ended.kind === 'Goodbye'
          ? 1
          : failuresAfter({ failures, lived: performance.now() - began, patience });
      const delay = this.#delayAfter(ended, reconnectDelay({ failures, patience, random: random() }));
      log.info({ ended: ended.kind, reason: ended.reason, failures, delay }, 'the stream has ended');
      await sleep(delay, undefined, { signal }).catch(() => {});
    }
  }

  #delayAfter(ended: Ended, delay: number): number {
    if (ended.kind !== 'VersionNotActive') return delay;
    this.#refused = `${ended.reason} (active: ${ended.activeVersions})`;
    // Up to a quarter more, so that a site does not ask all at once.
    return this.#options.delegate.askAgainAfter * (1 + this.#options.random() / 4);
  }

  /** One stream, until it ends, the manager says goodbye, or the signal. */
  #live(signal: AbortSignal): Promise<Ended> {
    return new Promise((resolve) => {
      const life = new StreamLife({
        ...this.#options,
        onWelcome: () => {
          this.#connected = true;
          this.#refused = undefined;
        },
        onEnd: (ended) => {
          signal.removeEventListener('abort', close);
          resolve(ended);
        },
      });
      const close = () => life.leave('the delegate ends');
      signal.addEventListener('abort', close, { once: true });
    });
  }
}

interface LifeParts extends LinkOptions {
  readonly onWelcome: () => void;
  readonly onEnd: (ended: Ended) => void;
}

class StreamLife {
  readonly #parts: LifeParts;
  readonly #stream: DelegateStream;
  #heartbeats: NodeJS.Timeout | undefined;
  #isWelcome = false;
  #isLeaving = false;
  #tellsSoon = false;

  constructor(parts: LifeParts) {
    this.#parts = parts;
    this.#stream = new DelegateStream(parts.delegate, {
      onMessage: (message) => this.#onMessage(message.message),
      onEnd: (ended) => this.#end(ended),
    });
    this.#listen();
    const { work, delegate } = parts;
    this.#stream.send({
      case: 'hello',
      value: {
        $typeName: 'examples.delegate.v1.Hello',
        delegate: delegate.box,
        tenant: delegate.tenant,
        version: delegate.version,
        tags: [...delegate.tags],
        capacity: work.capacity,
        running: work.leases.map(leaseOf),
      },
    });
  }

  /** Goes on elsewhere; what the manager still acknowledges here counts. */
  leave(reason: string): void {
    if (this.#isLeaving) return;
    // What it does not name here, and takes none any more, the manager gives to somebody else at once.
    if (this.#isWelcome) this.#heartbeat();
    this.#isLeaving = true;
    this.#stream.close();
    setTimeout(() => this.#stream.cancel(), LEAVING_MS).unref();
    this.#end({ kind: 'Goodbye', reason });
  }

  #end(ended: Ended): void {
    clearInterval(this.#heartbeats);
    this.#isLeaving = true;
    this.#parts.onEnd(ended);
  }

  #listen(): void {
    const { work, log } = this.#parts;
    work.listen({
      onDone: (lease, outcome) => this.#sendResult(lease, outcome),
      onDeclined: (lease, reason) =>
        this.#stream.send({
          case: 'decline',
          value: { $typeName: 'examples.delegate.v1.Decline', lease: leaseOf(lease), reason },
        }),
      onChange: () => this.#tellSoon(),
      onOutput: (lease, { offset, data }) => {
        if (!this.#isWelcome || offset > LONGEST_LOG) return;
        for (let first = 0; first < data.length; first += LONGEST_PIECE) {
          const piece = data.subarray(first, first + LONGEST_PIECE);
          this.#stream.offer({
            case: 'log',
            value: {
              $typeName: 'examples.delegate.v1.Log',
              lease: leaseOf(lease),
              offset: BigInt(offset + first),
              data: piece,
            },
          });
        }
      },
      onProgress: (lease, { percent, note }) => {
        if (!this.#isWelcome) return;
        this.#stream.offer({
          case: 'progress',
          value: { $typeName: 'examples.delegate.v1.Progress', lease: leaseOf(lease), percent, note },
        });
      },
      onFault: (doing, error) => log.error({ err: error }, doing),
    });
  }

  #sendResult(...[lease, outcome]: Parameters<typeof outcomeMessage>): void {
    // Before the welcome the manager has not read what is open; it gets all results then.
    if (this.#isWelcome) this.#stream.send({ case: 'result', value: outcomeMessage(lease, outcome) });
  }

  /** Changes of one moment are told together. */
  #tellSoon(): void {
    if (!this.#isWelcome || this.#tellsSoon) return;
    this.#tellsSoon = true;
    setImmediate(() => {
      this.#tellsSoon = false;
      this.#heartbeat();
    });
  }

  #heartbeat(): void {
    const { work } = this.#parts;
    if (this.#isLeaving) return;
    this.#stream.send({
      case: 'heartbeat',
      value: {
        $typeName: 'examples.delegate.v1.Heartbeat',
        capacity: work.capacity,
        running: work.leases.map(leaseOf),
      },
    });
  }

  #onMessage(message: ConnectResponse['message']): void {
    const { work } = this.#parts;
    if (message.case === 'acknowledge') {
      if (message.value.lease !== undefined) work.acknowledged(message.value.lease);
      return;
    }
    // What was assigned before the manager knew that it leaves it has all the same, and names on its next stream.
    const isOnItsWay = message.case === 'assign' && work.capacity > 0;
    if (this.#isLeaving && !isOnItsWay) return;
    switch (message.case) {
      case 'welcome':
        this.#welcome(message.value);
        return;
      case 'assign': {
        const { lease, kind, payload, timeout } = message.value;
        if (lease !== undefined)
          work.assign({ lease, kind, payload: valueOf(payload), timeout: durationOf(timeout) });
        return;
      }
      case 'cancel':
        if (message.value.lease !== undefined) work.stop(message.value.lease);
        return;
      case 'goodbye':
        this.leave(message.value.reason);
        return;
      case undefined:
        // Of a newer manager: it does not need an answer.
        return;
      default:
        message satisfies never;
    }
  }

  #welcome(welcome: Extract<ConnectResponse['message'], { case: 'welcome' }>['value']): void {
    const { work, onWelcome, log } = this.#parts;
    this.#isWelcome = true;
    for (const lease of welcome.stop) work.stop(lease);
    for (const { lease, outcome } of work.results) this.#sendResult(lease, outcome);
    const [least, most] = HEARTBEATS;
    const interval = Math.min(most, Math.max(least, durationOf(welcome.heartbeat)));
    this.#heartbeats = setInterval(() => this.#heartbeat(), interval);
    log.info({ manager: welcome.manager, version: welcome.version }, 'connected');
    onWelcome();
    this.#heartbeat();
  }
}
