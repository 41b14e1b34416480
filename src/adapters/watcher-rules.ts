/** What every store checks before it keeps watchers, and how it tells them apart. One place, so that all stores refuse alike. */
import type { ServiceName } from '../model/names.ts';
import type { DelegateId } from '../model/workflow.ts';
import type { WatcherChanges } from '../ports/store.ts';
import { assertReadable } from './stored/shape.ts';
import { storedWatcher } from './stored/watchers.ts';

/** Names a box among those of all services. Neither part can have a space. */
export function watcherKey({
  service,
  id,
}: {
  readonly service: ServiceName;
  readonly id: DelegateId;
}): string {
  return `${service} ${id}`;
}

/** Refuses changes that name a box twice, or what could not be read back. Throws TypeError. */
export function checkWatchers({ saved, forgotten }: WatcherChanges): void {
  const named = new Set<string>();
  for (const box of [...saved.map(({ identity }) => identity), ...forgotten]) {
    const key = watcherKey(box);
    if (named.has(key)) throw new TypeError(`the changes name the watcher ${key} twice`);
    named.add(key);
  }
  for (const watcher of saved) {
    assertReadable(storedWatcher, watcher, `the watcher ${watcherKey(watcher.identity)}`);
  }
}
