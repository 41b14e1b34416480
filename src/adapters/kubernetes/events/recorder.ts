/**
 * Writes Events, one after the other and not faster than a pace, from a bounded queue. Nobody waits for them, and none that
 * could not be written is anybody's error: what is lost is counted and told.
 */
import type { Instant, Milliseconds } from '../../../model/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KubernetesApi } from '../client/api.ts';
import { isNotFound, KubernetesApiError } from '../client/api-error.ts';
import { pathOf } from '../client/objects.ts';
import { microTime } from '../client/times.ts';
import {
  EVENT,
  type EventObject,
  equalityOf,
  eventName,
  eventObject,
  type ObjectReference,
  type Occurrence,
} from './event.ts';
import { noted, type SeriesBook, type SeriesWrite, swept, unwritten } from './series.ts';

/** Events that wait; beyond it the oldest are lost. */
const MOST_WAITING = 1_000;
/** Between two writes. */
const PACE: Milliseconds = 200;
/** After a write that did not reach the server, or whose object is not there yet. */
const RETRY_AFTER: Milliseconds = 2_000;
/** What could not be written for so long is lost. */
const KEPT_TRYING: Milliseconds = 2 * 60_000;
/** A Rollout is made soon after its rollout has begun. */
const OBJECT_AWAITED: Milliseconds = 30_000;
/** How long the end waits for counts to be written. */
const LAST_WORDS: Milliseconds = 2_000;
const SWEEP_EVERY: Milliseconds = 60_000;

/** Finds the object that an Event is about; undefined while it is not there. */
export type Regarding = () => ObjectReference | undefined;

export interface EventRecorderOptions {
  readonly api: Pick<KubernetesApi, 'json'>;
  readonly namespace: string;
  /** Who writes: the name of the Pod. */
  readonly instance: string;
  readonly clock: Clock;
  /** One sentence: what is not seen although it happened. */
  readonly onTrouble: (sentence: string) => void;
}

interface Waiting {
  readonly since: Instant;
  readonly occurrence: Occurrence;
  readonly regarding: Regarding;
}

export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #stop = new AbortController();
  readonly #waiting: Waiting[] = [];
  /** Of each series, the event that it began with: a count whose object has expired makes it anew. */
  readonly #objects = new Map<string, EventObject>();
  #book: SeriesBook = new Map();
  readonly #sweeping: Promise<void>;
  #running: Promise<void> | undefined;
  #lost = 0;
  #trouble = '';

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#sweeping = this.#sweepAgain();
  }

  /** Tells it, soon. */
  record(occurrence: Occurrence, regarding: Regarding): void {
    if (this.#stop.signal.aborted) return;
    if (this.#waiting.length >= MOST_WAITING) {
      this.#waiting.shift();
      this.#lose('too many wait');
    }
    this.#waiting.push({ since: this.#options.clock.now(), occurrence, regarding });
    this.#running ??= this.#run();
  }

  /** Writes the counts that are open, for a short time, and then nothing any more. What waits is lost. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#running, this.#sweeping]);
    const rest = this.#writeAll(unwritten(this.#book));
    const patience = new AbortController();
    await Promise.race([rest, this.#options.clock.sleep(LAST_WORDS, patience.signal).catch(() => undefined)]);
    patience.abort();
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      const found = next.regarding();
      const age = clock.now() - next.since;
      // One whose object never comes is nothing that anybody could look at.
      if (found === undefined && age < OBJECT_AWAITED) this.#waiting.push(next);
      const trouble = found === undefined ? 'None' : await this.#tell(next.occurrence, found);
      if (trouble !== 'None' && age > KEPT_TRYING) this.#lose(trouble);
      else if (trouble !== 'None') this.#waiting.unshift(next);
      await clock.sleep(trouble === 'None' ? PACE : RETRY_AFTER, signal).catch(() => undefined);
    }
    this.#running = undefined;
  }

  async #sweepAgain(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await clock.sleep(SWEEP_EVERY, signal).catch(() => undefined);
      if (signal.aborted) return;
      const { book, writes } = swept(this.#book, clock.now());
      this.#book = book;
      await this.#writeAll(writes);
      for (const key of this.#objects.keys()) if (!this.#book.has(key)) this.#objects.delete(key);
    }
  }

  /** `None`, or what is in the way for now. */
  async #tell(occurrence: Occurrence, found: ObjectReference): Promise<string> {
    const key = equalityOf(occurrence, found);
    const name = eventName(occurrence, found);
    const before = this.#book;
    const { book, write } = noted(before, { key, name, at: occurrence.at });
    this.#book = book;
    const object = eventObject(occurrence, { regarding: found, instance: this.#options.instance });
    if (write?.kind === 'Event') this.#objects.set(key, object);
    const trouble = write === undefined ? 'None' : await this.#write(write);
    // What is tried again is noted then.
    if (trouble !== 'None') this.#book = withEntryOf(this.#book, before, key);
    return trouble;
  }

  async #writeAll(writes: readonly SeriesWrite[]): Promise<void> {
    for (const write of writes) await this.#write(write);
  }

  async #write(write: SeriesWrite): Promise<string> {
    const object = this.#objects.get(write.key);
    if (object === undefined) return 'None';
    try {
      if (write.kind === 'Event') await this.#create(object);
      else await this.#count(object, write);
      return 'None';
    } catch (error) {
      const { message } = error as Error;
      const mayPass = !(error instanceof KubernetesApiError) || error.code === 429 || error.code >= 500;
      if (mayPass) return message;
      this.#lose(message);
      return 'None';
    }
  }

  async #create(object: EventObject): Promise<void> {
    const { api, namespace } = this.#options;
    const path = pathOf(EVENT, { namespace });
    await api.json({ method: 'POST', path, body: object }).catch((error: unknown) => {
      // Told before, by us or by the leader before us.
      if (!(error instanceof KubernetesApiError) || error.code !== 409) throw error;
    });
  }

  /** An Event lives for an hour after its last write; where it has gone, one that has the count takes its place. */
  async #count(
    object: EventObject,
    { name, count, last }: SeriesWrite & { readonly kind: 'Count' },
  ): Promise<void> {
    const { api, namespace } = this.#options;
    const series = { count, lastObservedTime: microTime(last) };
    const path = pathOf(EVENT, { namespace, name });
    const contentType = 'application/merge-patch+json';
    await api.json({ method: 'PATCH', path, contentType, body: { series } }).catch(async (error: unknown) => {
      if (!isNotFound(error)) throw error;
      await this.#create({ ...object, series });
    });
  }

  #lose(why: string): void {
    this.#lost += 1;
    if (why === this.#trouble) return;
    this.#trouble = why;
    this.#options.onTrouble(
      `Events of Kubernetes are lost (${this.#lost} until now), the log has what happened: ${why}`,
    );
  }
}

/** One entry as another book has it. */
function withEntryOf(book: SeriesBook, other: SeriesBook, key: string): SeriesBook {
  const next = new Map(book);
  const entry = other.get(key);
  if (entry === undefined) next.delete(key);
  else next.set(key, entry);
  return next;
}
