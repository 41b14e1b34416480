/**
 * The watchers of all services: who they are, how their boxes stand, who is connected, and when each was last seen. Who
 * they are and when they were seen survives a restart; what changed is saved in batches.
 */
import type { WatcherIdentity, WatcherRecord, WatcherReport } from '../model/goal-state.ts';
import { POLL_INTERVAL } from '../model/goal-state.ts';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { ServiceName } from '../model/names.ts';
import type { DelegateId } from '../model/workflow.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store, WatcherSeen } from '../ports/store.ts';
import {
  type GoalAnswer,
  type WatcherConnection,
  type WatcherListener,
  WatcherRefusedError,
  type Watchers,
} from '../ports/watchers.ts';

/** Watchers of one service that are known, away ones included; the one that was away longest gives way to a new one. */
const MOST_WATCHERS = 20_000;
/** A watcher that polls counts as connected for as long as it may have missed two polls. */
const POLLED_FOR: Milliseconds = 3 * POLL_INTERVAL;
/** A connected watcher's last-seen time is saved this often, so that a crash makes it this much older at most. */
const SEEN_SAVED: Milliseconds = 300_000;
/** A watcher that has been away for so long is forgotten. */
const FORGOTTEN_AFTER: Milliseconds = 30 * 24 * 3_600_000;
/** Watchers in one write. */
const SAVED_AT_ONCE = 1_000;

export interface FleetOptions {
  readonly clock: Clock;
  readonly stored: readonly WatcherSeen[];
  /** Whether a service is recorded. */
  readonly isService: (name: ServiceName) => boolean;
  /** What a watcher should be told now. */
  readonly answer: (watcher: WatcherRecord) => GoalAnswer;
  /** Told when a watcher came, went or said something new. */
  readonly changed: (service: ServiceName) => void;
}

interface Known {
  record: WatcherRecord;
  listener?: WatcherListener;
  /** When it last polled; absent: it has a connection, or is away. */
  polledAt?: Instant;
  /** The last-seen time that was saved. */
  savedSeen: Instant;
}

type Boxes = Map<DelegateId, Known>;

export class Fleet implements Watchers {
  readonly #options: FleetOptions;
  readonly #services = new Map<ServiceName, Boxes>();
  readonly #dirty = new Set<Known>();
  readonly #gone = new Map<string, { readonly service: ServiceName; readonly id: DelegateId }>();

  constructor(options: FleetOptions) {
    this.#options = options;
    for (const seen of options.stored) {
      const known = { record: { ...seen, isConnected: false }, savedSeen: seen.lastSeen };
      this.#boxes(seen.identity.service).set(seen.identity.id, known);
    }
  }

  connect(identity: WatcherIdentity, listener: WatcherListener): WatcherConnection {
    const known = this.#admit(identity);
    known.listener?.replaced();
    known.listener = listener;
    delete known.polledAt;
    this.#note(known, { ...known.record, identity, isConnected: true, lastSeen: this.#now() });
    return {
      report: (report) => {
        if (known.listener !== listener) return;
        this.#reported(known, report);
        listener.changed();
      },
      answer: () => this.#options.answer(known.record),
      close: () => {
        if (known.listener !== listener) return;
        delete known.listener;
        this.#note(known, { ...known.record, isConnected: false, lastSeen: this.#now() });
      },
    };
  }

  poll(identity: WatcherIdentity, report: WatcherReport): GoalAnswer {
    const known = this.#admit(identity);
    known.listener?.replaced();
    delete known.listener;
    known.polledAt = this.#now();
    known.record = { ...known.record, identity, isConnected: true };
    this.#reported(known, report);
    return this.#options.answer(known.record);
  }

  /** The watchers of a service that are known, in no order. */
  of(service: ServiceName): readonly WatcherRecord[] {
    return [...(this.#services.get(service)?.values() ?? [])].map(({ record }) => record);
  }

  /** One watcher; undefined where it is not known. */
  find(service: ServiceName, id: DelegateId): WatcherRecord | undefined {
    return this.#services.get(service)?.get(id)?.record;
  }

  /** Says that what watchers of a service should run may have changed: all that are connected are told. */
  goalsChanged(service: ServiceName): void {
    for (const { listener } of this.#services.get(service)?.values() ?? []) listener?.changed();
  }

  /** Takes a box out, for good or until its watcher comes back. */
  forget(service: ServiceName, id: DelegateId): void {
    const boxes = this.#services.get(service);
    const known = boxes?.get(id);
    if (boxes === undefined || known === undefined) return;
    boxes.delete(id);
    this.#dirty.delete(known);
    this.#gone.set(`${service} ${id}`, { service, id });
    known.listener?.replaced();
    delete known.listener;
  }

  /** Looks for watchers that have stopped polling, that were away for too long, or whose service was deleted. */
  expire(): void {
    const now = this.#now();
    for (const [service, boxes] of this.#services) {
      const isGone = !this.#options.isService(service);
      for (const [id, known] of boxes) {
        const { polledAt, record } = known;
        if (isGone) this.forget(service, id);
        else if (polledAt !== undefined && after(polledAt, POLLED_FOR) <= now) {
          delete known.polledAt;
          this.#note(known, { ...record, isConnected: false });
        } else if (!record.isConnected && after(record.lastSeen, FORGOTTEN_AFTER) <= now) {
          this.forget(service, id);
        }
      }
      if (boxes.size === 0) this.#services.delete(service);
    }
  }

  /** Writes what has changed since it was last called. */
  async save(store: Pick<Store, 'saveWatchers'>): Promise<void> {
    this.#refreshSeen();
    while (this.#dirty.size > 0 || this.#gone.size > 0) {
      const batch = [...this.#dirty].slice(0, SAVED_AT_ONCE);
      const forgotten = [...this.#gone.values()];
      for (const known of batch) this.#dirty.delete(known);
      this.#gone.clear();
      try {
        await store.saveWatchers({ saved: batch.map(({ record }) => seenOf(record)), forgotten });
      } catch (error) {
        for (const known of batch) if (this.#isKnown(known)) this.#dirty.add(known);
        for (const box of forgotten) {
          if (this.find(box.service, box.id) === undefined) this.#gone.set(`${box.service} ${box.id}`, box);
        }
        throw error;
      }
      for (const known of batch) known.savedSeen = known.record.lastSeen;
    }
  }

  #admit(identity: WatcherIdentity): Known {
    const { service, id } = identity;
    if (!this.#options.isService(service)) {
      throw new WatcherRefusedError(
        'UnknownService',
        `there is no service ${service}; apply it, or mend the watcher's file`,
      );
    }
    const boxes = this.#boxes(service);
    const known = boxes.get(id);
    if (known !== undefined) return known;
    if (boxes.size >= MOST_WATCHERS) this.#makeRoom(service, boxes);
    const lastSeen = this.#now();
    const fresh: Known = {
      record: { identity, report: NO_REPORT, isConnected: true, lastSeen },
      savedSeen: lastSeen,
    };
    boxes.set(id, fresh);
    this.#gone.delete(`${service} ${id}`);
    return fresh;
  }

  #makeRoom(service: ServiceName, boxes: Boxes): void {
    const away = [...boxes.values()].map(({ record }) => record).filter(({ isConnected }) => !isConnected);
    const [oldest] = away.toSorted((one, other) => one.lastSeen - other.lastSeen);
    if (oldest === undefined) {
      throw new WatcherRefusedError(
        'TooMany',
        `${service} has ${boxes.size} watchers, the most there can be`,
      );
    }
    this.forget(service, oldest.identity.id);
  }

  #reported(known: Known, report: WatcherReport): void {
    const { record } = known;
    const next = { ...record, report, lastSeen: this.#now() };
    // Free space and open tasks change all the time; they are shown, and neither saved nor planned with.
    if (isSameReport(record.report, report)) known.record = next;
    else this.#note(known, next);
  }

  #note(known: Known, record: WatcherRecord): void {
    known.record = record;
    this.#dirty.add(known);
    this.#options.changed(record.identity.service);
  }

  #refreshSeen(): void {
    for (const boxes of this.#services.values()) {
      for (const known of boxes.values()) {
        const { record, savedSeen } = known;
        if (known.listener !== undefined) known.record = { ...record, lastSeen: this.#now() };
        if (after(savedSeen, SEEN_SAVED) <= known.record.lastSeen) this.#dirty.add(known);
      }
    }
  }

  #isKnown(known: Known): boolean {
    const { service, id } = known.record.identity;
    return this.#services.get(service)?.get(id) === known;
  }

  #boxes(service: ServiceName): Boxes {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const boxes: Boxes = new Map();
    this.#services.set(service, boxes);
    return boxes;
  }

  #now(): Instant {
    return this.#options.clock.now();
  }
}

/** A watcher that has said nothing of its box yet. */
const NO_REPORT: WatcherReport = { seen: 0, applied: 0, refusal: '', versions: [], diskFree: 0 };

function seenOf({ identity, report, lastSeen }: WatcherRecord): WatcherSeen {
  return { identity, report, lastSeen };
}

function isSameReport(one: WatcherReport, other: WatcherReport): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf({ seen, applied, refusal, versions, windowOpens }: WatcherReport): string {
  const states = versions.map(({ version, state, reason, since }) => [version, state, reason, since]);
  return JSON.stringify([seen, applied, refusal, windowOpens ?? 0, states]);
}
