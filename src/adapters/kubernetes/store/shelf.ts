/**
 * A long list of small things that change often: watchers, proxies. It is spread over a fixed number of objects by what each
 * thing is called; only objects whose things have changed are written, and not more often than now and then. What was not
 * written yet may be lost in a crash.
 */
import { createHash } from 'node:crypto';
import type { Milliseconds } from '../../../model/instant.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Shape } from '../../stored/shape.ts';
import { list } from '../../stored/shape.ts';
import { CONTROLLER_STATE } from '../custom-resources.ts';
import { brought, inParallel } from './settling.ts';
import { readData, readState, type StateObject, shardObject } from './state-object.ts';
import type { Writer } from './writer.ts';

export interface ShelfOptions<Entry> {
  readonly content: 'Proxies' | 'Watchers';
  /** Objects that the list is spread over. */
  readonly shards: number;
  readonly shape: Shape<Entry>;
  readonly keyOf: (entry: Entry) => string;
  readonly writer: Writer;
  readonly term: number;
  readonly newWriteId: () => string;
  readonly clock: Clock;
  readonly monotonic: () => Milliseconds;
  /** Objects are written at most this often. */
  readonly every: Milliseconds;
  /** Told why a write that nobody waits for has failed; it is repeated. */
  readonly trouble: (sentence: string) => void;
}

interface Shard {
  /** The object as it was written or read last, without its data. */
  at: StateObject | undefined;
  readonly entries: Map<string, string>;
  isChanged: boolean;
}

export class Shelf<Entry> {
  readonly #options: ShelfOptions<Entry>;
  readonly #shards: readonly Shard[];
  readonly #entries = new Map<string, Entry>();
  readonly #stop = new AbortController();
  #writtenAt = Number.NEGATIVE_INFINITY;
  #waiting = false;
  #tail: Promise<void> = Promise.resolve();

  /** Throws StateUnreadableError. */
  constructor(options: ShelfOptions<Entry>, stored: readonly StateObject[]) {
    this.#options = options;
    this.#shards = Array.from({ length: options.shards }, () => ({
      at: undefined,
      entries: new Map(),
      isChanged: false,
    }));
    for (const object of stored.filter(({ spec }) => spec.content === options.content)) this.#read(object);
  }

  /** Sorted by what they are called. */
  entries(): readonly Entry[] {
    return [...this.#entries].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, entry]) => entry);
  }

  /** Puts and takes away. Rejects where it was time to write and that failed; it is written later then. */
  async change(saved: readonly Entry[], forgotten: readonly string[]): Promise<void> {
    const { keyOf, monotonic, every } = this.#options;
    for (const entry of saved) this.#put(keyOf(entry), entry);
    for (const key of forgotten) this.#remove(key);
    if (!this.#shards.some(({ isChanged }) => isChanged)) return;
    if (monotonic() - this.#writtenAt >= every) await this.flush();
    else this.#writeLater();
  }

  /** Those that are not in the list are taken away. */
  replaceAll(all: readonly Entry[]): Promise<void> {
    const kept = new Set(all.map((entry) => this.#options.keyOf(entry)));
    return this.change(
      all,
      [...this.#entries.keys()].filter((key) => !kept.has(key)),
    );
  }

  /** Takes away what the condition says. */
  forget(isGone: (entry: Entry) => boolean): Promise<void> {
    return this.change(
      [],
      [...this.#entries].filter(([, entry]) => isGone(entry)).map(([key]) => key),
    );
  }

  /** Writes what has changed. Rejects as Writer.write does. */
  flush(): Promise<void> {
    const written = this.#tail.then(() => this.#flush());
    this.#tail = written.catch(() => undefined);
    return written;
  }

  /** Nothing is written any more by itself. */
  stop(): void {
    this.#stop.abort();
  }

  #read(object: StateObject): void {
    const shard = this.#shards[Number(readState(object).metadata.name.split('-').at(-1))];
    if (shard === undefined) return;
    shard.at = withoutData(object);
    for (const entry of readData(list(this.#options.shape), object)) {
      const key = this.#options.keyOf(entry);
      shard.entries.set(key, JSON.stringify(entry));
      this.#entries.set(key, entry);
    }
  }

  #put(key: string, entry: Entry): void {
    const shard = this.#shardOf(key);
    const text = JSON.stringify(entry);
    this.#entries.set(key, entry);
    if (shard.entries.get(key) === text) return;
    shard.entries.set(key, text);
    shard.isChanged = true;
  }

  #remove(key: string): void {
    const shard = this.#shardOf(key);
    if (shard.entries.delete(key)) shard.isChanged = true;
    this.#entries.delete(key);
  }

  #shardOf(key: string): Shard {
    const number = createHash('sha256').update(key).digest().readUInt32BE() % this.#shards.length;
    return this.#shards[number] as Shard;
  }

  #writeLater(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    const { clock, monotonic, every, trouble } = this.#options;
    const wait = Math.max(0, this.#writtenAt + every - monotonic());
    void clock
      .sleep(wait, this.#stop.signal)
      .then(() => {
        this.#waiting = false;
        return this.flush();
      })
      .catch((error: unknown) => {
        this.#waiting = false;
        if (this.#stop.signal.aborted) return;
        trouble(`${this.#options.content} are not saved: ${(error as Error).message}`);
        this.#writeLater();
      });
  }

  async #flush(): Promise<void> {
    this.#writtenAt = this.#options.monotonic();
    const changed = this.#shards.flatMap((shard, number) => (shard.isChanged ? [{ shard, number }] : []));
    await inParallel(changed, ({ shard, number }) => this.#write(shard, number));
  }

  /** The list here is what holds: it is written over what another hand has made of the object. */
  async #write(shard: Shard, number: number): Promise<void> {
    const { content, writer, term, newWriteId } = this.#options;
    const entries = [...shard.entries.keys()].toSorted().map((key) => this.#entries.get(key));
    const stamp = { term, writeId: newWriteId() };
    shard.isChanged = false;
    try {
      const written = await brought<StateObject>(writer, term, shard.at, (found) => {
        const object = shardObject({ content, number, entries }, stamp, found?.metadata);
        return { kind: found === undefined ? 'Create' : 'Replace', of: CONTROLLER_STATE, object };
      });
      shard.at = withoutData(written);
    } catch (error) {
      shard.isChanged = true;
      throw error;
    }
  }
}

function withoutData(object: StateObject | undefined): StateObject | undefined {
  if (object === undefined) return undefined;
  const { data: _, ...spec } = object.spec;
  return { ...object, spec };
}
