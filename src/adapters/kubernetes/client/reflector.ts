/**
 * A copy of all objects of a kind that follows the API server for as long as we live: listed once, then watched, and listed
 * anew where the server no longer remembers, where a watch breaks off again and again, and now and then in any case, since
 * a cache that has missed something would never know.
 */
import type { Backoff } from '../../../model/backoff.ts';
import { retryDelay } from '../../../model/backoff.ts';
import { after, type Instant, type Milliseconds } from '../../../model/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { KubernetesApi } from './api.ts';
import { isExpired, KubernetesApiError } from './api-error.ts';
import { type KubernetesObject, keyOf } from './objects.ts';
import { type Listed, list, type Selection, type WatchEvent, watch } from './watch.ts';

/** What a reflector asks. Tests put faults in between. */
export interface Source<Item> {
  list(signal: AbortSignal): Promise<Listed<Item>>;
  watch(from: string, lasting: Milliseconds, signal: AbortSignal): AsyncIterable<WatchEvent<Item>>;
}

export interface ReflectorOptions<Item> {
  readonly source: Source<Item>;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Called after each change, with the keys of what has changed: `namespace/name`. */
  readonly onChange: (keys: readonly string[]) => void;
  /** Told of what failed, and of changes that only listing anew has found. */
  readonly observer?: ReflectorObserver;
}

export interface ReflectorObserver {
  failed?(error: unknown, retryIn: Milliseconds): void;
  /** So many objects had changed without an event. */
  missed?(objects: number): void;
}

export interface Standing {
  /** Everything was read at least once. */
  readonly isSynced: boolean;
  /** When the server was last heard of; absent: never. */
  readonly heardAt?: Instant;
  /** Why it is not followed now; empty: it is. */
  readonly trouble: string;
}

const BACKOFF: Backoff = { initial: 800, max: 30_000 };
/** A watch lasts so long, and up to twice that; servers end theirs after an hour at the latest. */
const LASTS: Milliseconds = 5 * 60_000;
/** Listed anew after so long, and up to twice that. */
const RELISTED_AFTER: Milliseconds = 15 * 60_000;
/** A watch that ended sooner counts as a failure: a server that ends each at once would be asked without end. */
const SHORTEST_WATCH: Milliseconds = 1_000;

/** The objects of a selection at an API server. */
export function sourceOf<Item extends KubernetesObject>(
  api: KubernetesApi,
  selection: Selection,
): Source<Item> {
  return {
    list: (signal) => list<Item>(api, selection, signal),
    watch: (from, lasting, signal) => watch<Item>(api, { ...selection, from, lasting }, signal),
  };
}

export class Reflector<Item extends KubernetesObject> {
  readonly #options: ReflectorOptions<Item>;
  readonly #stop = new AbortController();
  readonly #objects = new Map<string, Item>();
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #heardAt: Instant | undefined;
  #trouble = 'it was not read yet';
  #running: Promise<void> = Promise.resolve();
  #position: Position | undefined;

  constructor(options: ReflectorOptions<Item>) {
    this.#options = options;
  }

  /** By `namespace/name`, as last heard. */
  get objects(): ReadonlyMap<string, Item> {
    return this.#objects;
  }

  /** The resource version up to which it has followed; empty: it was not read yet. */
  get position(): string {
    return this.#position?.resourceVersion ?? '';
  }

  get standing(): Standing {
    return {
      isSynced: this.#isSynced,
      trouble: this.#trouble,
      ...(this.#heardAt === undefined ? {} : { heardAt: this.#heardAt }),
    };
  }

  /** Begins to follow. Resolves when everything was read once; never rejects. */
  start(): Promise<void> {
    this.#running = this.#follow();
    return this.#synced.promise;
  }

  /** Resolves when nothing is read any more. What was read stays. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #follow(): Promise<void> {
    const { clock, random, observer } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted; ) {
      const began = clock.now();
      const failed = await this.#round().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (signal.aborted) return;
      const isShort = after(began, SHORTEST_WATCH) > clock.now();
      failures = failed === undefined && !isShort ? 0 : failures + 1;
      if (failures === 0) continue;
      // Where the server does not remember, or refuses again and again, everything is read anew.
      if (isExpired(failed?.error) || failures > 2) this.#position = undefined;
      if (isExpired(failed?.error) && failures === 1) continue;
      const wait = Math.max(
        retryDelay({ ...BACKOFF, failures, random: random() }),
        retryAfterOf(failed?.error),
      );
      if (failed !== undefined) {
        this.#trouble = (failed.error as Error).message;
        observer?.failed?.(failed.error, wait);
      }
      await clock.sleep(wait, signal).catch(() => undefined);
    }
  }

  /** Reads everything where that is due, then follows until the watch ends. */
  async #round(): Promise<void> {
    const { source, clock, random } = this.#options;
    const now = clock.now();
    if (this.#position === undefined || this.#position.relistAt <= now) {
      const { items, resourceVersion } = await source.list(this.#stop.signal);
      const isRoutine = this.#position !== undefined;
      this.#position = { resourceVersion, relistAt: after(now, RELISTED_AFTER * (1 + random())) };
      this.#replaceAll(items, isRoutine);
    }
    this.#trouble = '';
    await this.#watched(this.#position);
  }

  /** Until the watch ends; `position` follows it. */
  async #watched(position: Position): Promise<void> {
    const { source, clock, random } = this.#options;
    const lasting = LASTS * (1 + random());
    for await (const event of source.watch(position.resourceVersion, lasting, this.#stop.signal)) {
      this.#heardAt = clock.now();
      if (event.resourceVersion !== '') position.resourceVersion = event.resourceVersion;
      if (event.kind === 'Bookmark') continue;
      const key = keyOf(event.object);
      if (event.kind === 'Changed') this.#objects.set(key, event.object);
      else this.#objects.delete(key);
      this.#options.onChange([key]);
    }
  }

  /** `isRoutine`: the watch was not broken, so it should have told of all of it. */
  #replaceAll(items: readonly Item[], isRoutine: boolean): void {
    const { clock, onChange, observer } = this.#options;
    this.#heardAt = clock.now();
    const fresh = new Map(items.map((item) => [keyOf(item), item]));
    const versionOf = (key: string, of: ReadonlyMap<string, Item>): string | undefined =>
      of.get(key)?.metadata.resourceVersion;
    const changed = [...new Set([...this.#objects.keys(), ...fresh.keys()])].filter(
      (key) => versionOf(key, this.#objects) !== versionOf(key, fresh),
    );
    if (isRoutine && changed.length > 0) observer?.missed?.(changed.length);
    for (const key of changed) {
      const item = fresh.get(key);
      if (item === undefined) this.#objects.delete(key);
      else this.#objects.set(key, item);
    }
    const isFirst = !this.#isSynced;
    this.#isSynced = true;
    if (changed.length > 0 || isFirst) onChange(changed);
    if (isFirst) this.#synced.resolve();
  }
}

/** Where a watch goes on, and when everything is read anew. */
interface Position {
  resourceVersion: string;
  readonly relistAt: Instant;
}

function retryAfterOf(error: unknown): Milliseconds {
  return error instanceof KubernetesApiError ? (error.retryAfter ?? 0) : 0;
}
