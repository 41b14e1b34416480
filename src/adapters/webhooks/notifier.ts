/**
 * The Notifier port over HTTP. Each receiver has a queue of its own, which is delivered in order and is bounded, so that
 * a receiver that is slow or away costs nobody else anything. What was not delivered is told to `onOutcome`, never lost
 * without a word.
 */
import type { AuditEvent } from '../../model/audit.ts';
import { after, type Instant, type Milliseconds } from '../../model/instant.ts';
import type { Notification } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Notifier } from '../../ports/notifier.ts';
import { sendHttp, targetOf } from '../http-request.ts';
import { notificationBody } from './body.ts';
import { signedHeaders } from './signature.ts';

/**
 * What became of one event at one receiver. `Retried`: this attempt failed, and another follows. `Expired`: it could
 * not be delivered in the time for it. `Dropped`: newer events needed its place. `Abandoned`: the controller ended first.
 */
export interface DeliveryOutcome {
  readonly kind: 'Delivered' | 'Retried' | 'Expired' | 'Dropped' | 'Abandoned';
  readonly receiver: Notification;
  readonly event: AuditEvent;
  /** Why; empty when it was delivered. */
  readonly reason: string;
}

export interface NotifierOptions {
  readonly clock: Clock;
  /** Posts are signed with it; absent: they are not signed. */
  readonly secret?: string | undefined;
  /** From 0 to below 1, for the spread of retries. */
  readonly random: () => number;
  readonly onOutcome: (outcome: DeliveryOutcome) => void;
  readonly limits?: Partial<NotifierLimits>;
}

export interface NotifierLimits {
  /** For one attempt. Default 10 s. */
  readonly timeout: Milliseconds;
  /** From the event to the last attempt. Default 10 minutes. */
  readonly totalTime: Milliseconds;
  /** The pause before the first retry; each is twice the last, less up to half of it by chance. Default 1 s. */
  readonly firstPause: Milliseconds;
  /** Default 1 minute. */
  readonly longestPause: Milliseconds;
  /** Events that wait for one receiver; of more the oldest go. Default 1,000. */
  readonly queued: number;
}

const LIMITS: NotifierLimits = {
  timeout: 10_000,
  totalTime: 600_000,
  firstPause: 1_000,
  longestPause: 60_000,
  queued: 1_000,
};

/** An answer is not read further: its status decides. */
const MOST_BYTES = 1024;

export function createNotifier(options: NotifierOptions): Notifier {
  const limits = { ...LIMITS, ...options.limits };
  const closing = new AbortController();
  const queues = new Map<string, ReceiverQueue>();
  const ends = new Set<Promise<void>>();

  function begin(key: string, receiver: Notification): ReceiverQueue {
    const queue = new ReceiverQueue({ ...options, limits, receiver, signal: closing.signal });
    queues.set(key, queue);
    const end = queue.deliverAll(() => queues.delete(key)).finally(() => ends.delete(end));
    ends.add(end);
    return queue;
  }

  return {
    notify(receiver, event) {
      if (receiver.events.length > 0 && !receiver.events.includes(event.action)) return;
      if (closing.signal.aborted) return;
      const key = JSON.stringify([event.service ?? '', receiver.name, receiver.url]);
      (queues.get(key) ?? begin(key, receiver)).add(event);
    },
    async close() {
      closing.abort();
      await Promise.all(ends);
    },
  };
}

interface Waiting {
  readonly event: AuditEvent;
  /** No attempt begins after this. */
  readonly until: Instant;
}

interface QueueOptions extends NotifierOptions {
  readonly limits: NotifierLimits;
  readonly receiver: Notification;
  readonly signal: AbortSignal;
}

/** The events of one receiver, oldest first. */
class ReceiverQueue {
  readonly #options: QueueOptions;
  readonly #waiting: Waiting[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  add(event: AuditEvent): void {
    const { clock, limits } = this.#options;
    this.#waiting.push({ event, until: after(clock.now(), limits.totalTime) });
    while (this.#waiting.length > limits.queued) {
      const dropped = this.#waiting.shift();
      if (dropped === undefined) return;
      this.#tell('Dropped', dropped.event, `more than ${limits.queued} events waited for the receiver`);
    }
  }

  /** Delivers until nothing waits; `onEmpty` is called in the same turn, so that no event falls in between. */
  async deliverAll(onEmpty: () => void): Promise<void> {
    const { signal } = this.#options;
    await Promise.resolve(); // the first event is added by whoever made the queue
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (signal.aborted) this.#tell('Abandoned', next.event, 'the controller ended');
      else await this.#deliver(next);
    }
    onEmpty();
  }

  /** Tries until it is delivered, its time is over, or the controller ends. Never rejects. */
  async #deliver({ event, until }: Waiting): Promise<void> {
    const { clock, signal } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const failure = await this.#post(event);
      if (failure === undefined) return this.#tell('Delivered', event, '');
      if (signal.aborted) return this.#tell('Abandoned', event, 'the controller ended');
      const pause = this.#pause(attempt);
      if (after(clock.now(), pause) > until) {
        return this.#tell('Expired', event, `${failure} (attempt ${attempt}, the last)`);
      }
      this.#tell('Retried', event, failure);
      await clock.sleep(pause, signal).catch(() => undefined);
      if (signal.aborted) return this.#tell('Abandoned', event, 'the controller ended');
    }
  }

  /** Why it was not taken; undefined when it was. */
  async #post(event: AuditEvent): Promise<string | undefined> {
    const { clock, secret, limits, receiver, signal } = this.#options;
    const body = notificationBody(event);
    try {
      const { status } = await sendHttp({
        target: targetOf(receiver.url),
        method: 'POST',
        headers: signedHeaders({ secret, body, at: clock.now() }),
        body,
        timeout: limits.timeout,
        maxBytes: MOST_BYTES,
        longer: 'CutOff',
        signal,
      });
      return status >= 200 && status <= 299 ? undefined : `it answered ${status}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #pause(attempt: number): Milliseconds {
    const { limits, random } = this.#options;
    const whole = Math.min(limits.longestPause, limits.firstPause * 2 ** (attempt - 1));
    return whole * (1 - random() / 2);
  }

  #tell(kind: DeliveryOutcome['kind'], event: AuditEvent, reason: string): void {
    const { receiver, onOutcome } = this.#options;
    onOutcome({ kind, receiver, event, reason });
  }
}
