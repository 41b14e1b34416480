/**
 * The Store port over custom resources, for the one replica that leads, for as long as it leads without a break. What holds is
 * at the API server; here is what was read and written of it. History (events, ended rollouts, measurements, counts of
 * requests) is kept in memory, bounded, and told to an observer who writes it somewhere for good.
 */
import { randomBytes } from 'node:crypto';
import type { AuditEvent } from '../../../model/audit.ts';
import type { Milliseconds } from '../../../model/instant.ts';
import type { ServiceName } from '../../../model/names.ts';
import { isOpen, type RolloutId } from '../../../model/rollout.ts';
import {
  type Commit,
  KEPT_MEASUREMENTS,
  type ProxySeen,
  type Store,
  type WatcherSeen,
} from '../../../ports/store.ts';
import { checkEventQuery, checkProxies } from '../../commit-rules.ts';
import { EventLog } from '../../memory/events.ts';
import { MemoryHistory } from '../../memory/history.ts';
import { storedHistory } from '../../memory/stored-history.ts';
import { storedProxy } from '../../stored/records.ts';
import { storedWatcher } from '../../stored/watchers.ts';
import { checkWatchers, watcherKey } from '../../watcher-rules.ts';
import { writeBackup } from './backup.ts';
import type { StoreObserver } from './observer.ts';
import { Shelf } from './shelf.ts';
import { State } from './state.ts';
import { type TakenOver, takeOver } from './takeover.ts';
import { Writer, type WriterOptions } from './writer.ts';

export interface KubernetesStoreOptions extends WriterOptions {
  readonly observer: StoreObserver;
  /** Audit events kept in memory; the oldest go first. Default 10,000. */
  readonly eventsKept?: number;
  /** Measurements kept in memory; those of the oldest ended rollouts go first. Default KEPT_MEASUREMENTS. */
  readonly measurementsKept?: number;
  /** Watchers and proxies are written at most this often. Default 30 s. */
  readonly listsEvery?: Milliseconds;
}

export interface KubernetesStore extends Store {
  /** Of this leader, in all that it writes: above that of every leader before. */
  readonly term: number;
}

/** Objects that watchers are spread over: 10,000 of them are 160 in each, of some 20 kB. */
const WATCHER_SHARDS = 64;
const PROXY_SHARDS = 4;

/**
 * Takes the store over from the leader before. Rejects with NotLeaderError where this replica does not lead, with
 * StateUnreadableError where what is stored cannot be used, and with StoreUnavailableError, StoreRejectedError.
 */
export async function openKubernetesStore(options: KubernetesStoreOptions): Promise<KubernetesStore> {
  const { clock, monotonic, observer, eventsKept = 10_000, listsEvery: every = 30_000 } = options;
  const { measurementsKept = KEPT_MEASUREMENTS } = options;
  const writer = new Writer(options);
  const newWriteId = (): string => randomBytes(8).toString('hex');
  const trouble = (sentence: string): void => observer.trouble(sentence);
  const history = new MemoryHistory({ measurementsKept });
  const taken = await takeOver({ writer, newWriteId, now: clock.now() });
  const { shards, term, counters } = taken;
  const onRead = (read: TakenOver): void => recordAll(history, read);
  const state = new State({ writer, clock, newWriteId, trouble, onRead }, taken);
  const lists = { writer, term, newWriteId, clock, monotonic, every, trouble };
  const proxies = new Shelf<ProxySeen>(
    { ...lists, content: 'Proxies', shards: PROXY_SHARDS, shape: storedProxy, keyOf: ({ id }) => id },
    shards,
  );
  const watchers = new Shelf<WatcherSeen>(
    {
      ...lists,
      content: 'Watchers',
      shards: WATCHER_SHARDS,
      shape: storedWatcher,
      keyOf: ({ identity }) => watcherKey(identity),
    },
    shards,
  );
  const historySince = clock.now();
  const events = new EventLog({ kept: eventsKept, lastSequence: counters.lastSequence });
  let closing: Promise<void> | undefined;

  const isService = (name: ServiceName): boolean => state.held.routings.has(name);
  function forgetWatchers(): void {
    const isGone = ({ identity }: WatcherSeen): boolean => !isService(identity.service);
    watchers.forget(isGone).catch((error: unknown) => trouble(`watchers stay: ${(error as Error).message}`));
  }
  forgetWatchers();

  function assertOpen(): void {
    if (closing !== undefined) throw new Error('the store is closed');
  }
  function assertWritable(): void {
    assertOpen();
    writer.assertLeading();
  }

  /** Keeps of a decided change what is history. */
  function decided(commit: Commit): readonly AuditEvent[] {
    const { services = [], rollouts = [], rolls = [], deletions = [] } = commit;
    const wasOpen = (id: RolloutId): boolean => {
      const [known] = history.rollouts({ id, limit: 1 });
      return known === undefined || isOpen(known.state);
    };
    const current = services.flatMap(({ rollout }) => (rollout === undefined ? [] : [rollout]));
    const ended = [...rollouts, ...current].filter(({ id, state: now }) => !isOpen(now) && wasOpen(id));
    for (const rollout of [...rollouts, ...current]) history.record(rollout);
    for (const roll of rolls) history.recordRoll(roll);
    for (const { name } of deletions) history.forget(name);
    if (deletions.length > 0) forgetWatchers();
    const written = events.append(commit.events ?? []);
    if (written.length > 0) observer.happened(written);
    if (ended.length > 0) observer.ended(ended);
    return written;
  }

  return {
    term,
    // A leader after another one knows nothing of what that one had in memory.
    ...(counters.lastSequence === 0 ? {} : { historySince }),
    async load() {
      assertOpen();
      const { routings, counters: stored } = await state.read();
      const records = [...routings.values()].map(({ record }) => record);
      const publication = Math.max(
        stored.lastDeletion ?? 0,
        ...[...routings.values()].map((routing) => routing.publication),
      );
      return structuredClone({
        services: records.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
        nextPublication: state.nextPublication,
        ...(publication === 0 ? {} : { publication }),
        proxies: proxies.entries(),
        everWritten: stored.everWritten,
      });
    },
    async commit(commit) {
      assertOpen();
      const copy = structuredClone(commit);
      return structuredClone(await state.commit(copy, () => decided(copy)));
    },
    async saveProxies(seen) {
      assertWritable();
      checkProxies(seen);
      await proxies.replaceAll(structuredClone(seen));
    },
    async watchers() {
      assertOpen();
      return structuredClone(watchers.entries());
    },
    async saveWatchers(changes) {
      assertWritable();
      checkWatchers(changes);
      const saved = changes.saved.filter(({ identity }) => isService(identity.service));
      await watchers.change(structuredClone(saved), changes.forgotten.map(watcherKey));
    },
    async events(query) {
      assertOpen();
      checkEventQuery(query);
      return structuredClone(events.read(query));
    },
    ...storedHistory(history, {
      assertOpen,
      assertWritable,
      measured: (measurements) => observer.measured(measurements),
      counted: (counts) => observer.counted(counts),
    }),
    async backup(file) {
      assertWritable();
      await Promise.all([proxies.flush(), watchers.flush()]);
      await writeBackup(file, await state.copy());
    },
    close() {
      closing ??= close();
      return closing;
    },
  };

  async function close(): Promise<void> {
    for (const list of [proxies, watchers]) {
      list.stop();
      await list
        .flush()
        .catch((error: unknown) => trouble(`not saved at the end: ${(error as Error).message}`));
    }
    await state.stop();
    writer.stop();
  }
}

/** What records say of the past: the rollouts that services are at or had last, oldest first, and their rolls. */
function recordAll(history: MemoryHistory, { routings, rolls }: TakenOver): void {
  const rollouts = [...routings.values()].flatMap(({ record }) => (record.rollout ? [record.rollout] : []));
  for (const rollout of rollouts.toSorted((one, other) => one.startedAt - other.startedAt))
    history.record(rollout);
  for (const roll of rolls) history.recordRoll(roll);
}
