/** Watchers that have changed since they were saved. They are written in batches, and what could not be written is kept. */
import type { WatcherRecord } from '../model/goal-state.ts';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { Store, WatcherSeen } from '../ports/store.ts';

/** A connected watcher's last-seen time is saved this often, so that a crash makes it this much older at most. */
export const SEEN_SAVED: Milliseconds = 300_000;
/** Watchers in one write. */
const SAVED_AT_ONCE = 1_000;

/** A watcher with what was saved of it. */
export interface Unsaved {
  record: WatcherRecord;
  /** The last-seen time that was saved. */
  savedSeen: Instant;
}

export class UnsavedWatchers {
  readonly #changed = new Map<string, Unsaved>();
  readonly #forgotten = new Map<string, WatcherRecord['identity']>();

  /** It came, went or said something new. */
  changed(watcher: Unsaved): void {
    const key = keyOf(watcher);
    this.#forgotten.delete(key);
    this.#changed.set(key, watcher);
  }

  /** It was seen; that is saved now and then. */
  seen(watcher: Unsaved): void {
    if (after(watcher.savedSeen, SEEN_SAVED) <= watcher.record.lastSeen) this.changed(watcher);
  }

  forgotten(watcher: Unsaved): void {
    const key = keyOf(watcher);
    this.#changed.delete(key);
    this.#forgotten.set(key, watcher.record.identity);
  }

  /** Writes all of it. Rejects with what the store says; what was not written is written the next time. */
  async save(store: Pick<Store, 'saveWatchers'>): Promise<void> {
    while (this.#changed.size > 0 || this.#forgotten.size > 0) {
      const batch = [...this.#changed].slice(0, SAVED_AT_ONCE);
      const forgotten = [...this.#forgotten];
      for (const [key] of batch) this.#changed.delete(key);
      this.#forgotten.clear();
      try {
        await store.saveWatchers({
          saved: batch.map(([, { record }]) => seenOf(record)),
          forgotten: forgotten.map(([, { service, id }]) => ({ service, id })),
        });
      } catch (error) {
        this.#takeBack(batch, forgotten);
        throw error;
      }
      for (const [, watcher] of batch) watcher.savedSeen = watcher.record.lastSeen;
    }
  }

  /** What has changed meanwhile is newer. */
  #takeBack(
    batch: readonly (readonly [string, Unsaved])[],
    forgotten: readonly (readonly [string, WatcherRecord['identity']])[],
  ): void {
    for (const [key, watcher] of batch) {
      if (!this.#changed.has(key) && !this.#forgotten.has(key)) this.#changed.set(key, watcher);
    }
    for (const [key, identity] of forgotten) {
      if (!this.#changed.has(key) && !this.#forgotten.has(key)) this.#forgotten.set(key, identity);
    }
  }
}

function keyOf({ record: { identity } }: Unsaved): string {
  return `${identity.service} ${identity.id}`;
}

function seenOf({ identity, report, lastSeen }: WatcherRecord): WatcherSeen {
  return { identity, report, lastSeen };
}
