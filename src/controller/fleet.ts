/**
 * The watchers of all services: who they are, how their boxes stand, who is connected, and when each was last seen. Who
 * they are and when they were seen survives a restart; what changed is saved in batches.
 */

import type { Offer, SentGoal } from '../goalstate/goals.ts';
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
import { SEEN_SAVED, type Unsaved, UnsavedWatchers } from './unsaved-watchers.ts';

/** Watchers of one service that are known, away ones included; the one that was away longest gives way to a new one. */
const MOST_WATCHERS = 20_000;
/** A watcher that polls counts as connected for as long as it may have missed two polls. */
const POLLED_FOR: Milliseconds = 3 * POLL_INTERVAL;
/** A watcher that has been away for so long is forgotten. */
const FORGOTTEN_AFTER: Milliseconds = 30 * 24 * 3_600_000;
/** How long after a start watchers may take to come back. */
const GATHERING: Milliseconds = 90_000;

export interface FleetOptions {
  readonly clock: Clock;
  readonly stored: readonly WatcherSeen[];
  /** Whether a service is recorded. */
  readonly isService: (name: ServiceName) => boolean;
  /** What to do about a watcher now, by what it was sent on its stream. */
  readonly offer: (watcher: WatcherRecord, sent: SentGoal | undefined) => Offer;
  /** Told when a watcher came, went or said something new. */
  readonly changed: (service: ServiceName) => void;
}

interface Known extends Unsaved {
  listener?: WatcherListener;
  /** When it last polled; absent: it has a connection, or is away. */
  polledAt?: Instant;
}

/** What a watcher was told on its stream. */
interface Told {
  hasReported: boolean;
  sent?: SentGoal;
  reason: string;
}

type Boxes = Map<DelegateId, Known>;

export class Fleet implements Watchers {
  readonly #options: FleetOptions;
  readonly #services = new Map<ServiceName, Boxes>();
  readonly #unsaved = new UnsavedWatchers();
  readonly #startedAt: Instant;
  /** Boxes whose watchers were connected when the controller before this one ended, and are not back yet. */
  readonly #expected = new Map<ServiceName, Set<DelegateId>>();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    const newest = options.stored.reduce((most, { lastSeen }) => Math.max(most, lastSeen), 0);
    for (const seen of options.stored) {
      const known = { record: { ...seen, isConnected: false }, savedSeen: seen.lastSeen };
      const { service, id } = seen.identity;
      this.#boxes(service).set(id, known);
      if (seen.lastSeen < newest - 2 * SEEN_SAVED) continue;
      const expected = this.#expected.get(service) ?? new Set();
      this.#expected.set(service, expected.add(id));
    }
  }

  connect(identity: WatcherIdentity, listener: WatcherListener): WatcherConnection {
    const known = this.#admit(identity);
    known.listener?.replaced();
    known.listener = listener;
    delete known.polledAt;
    this.#note(known, { ...known.record, identity, isConnected: true, lastSeen: this.#now() });
    const told: Told = { hasReported: false, reason: '' };
    return {
      report: (report) => {
        if (known.listener !== listener) return;
        told.hasReported = true;
        this.#reported(known, report);
        listener.changed();
      },
      answer: () => this.#answer(known, told),
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
    const offer = this.#options.offer(known.record, undefined);
    return offer.kind === 'Send'
      ? { kind: 'Goal', goal: offer.goal }
      : { kind: 'NoGoal', reason: reasonOf(offer) };
  }

  /** The watchers of a service that are known, in no order. */
  of(service: ServiceName): readonly WatcherRecord[] {
    return [...(this.#services.get(service)?.values() ?? [])].map(({ record }) => record);
  }

  /** The same, by box. */
  byId(service: ServiceName): ReadonlyMap<DelegateId, WatcherRecord> {
    return new Map(this.of(service).map((record) => [record.identity.id, record]));
  }

  /**
   * Why nothing may be concluded yet from who is connected: after a restart watchers come back at a rate. Empty: all that
   * were there are back, or there was time for them.
   */
  gathering(service: ServiceName): string {
    const expected = this.#expected.get(service)?.size ?? 0;
    if (expected === 0 || after(this.#startedAt, GATHERING) <= this.#now()) return '';
    return `the controller has just started: ${expected} watchers that were here are not back yet`;
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
    this.#unsaved.forgotten(known);
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
    for (const known of this.#all()) {
      if (known.listener !== undefined) known.record = { ...known.record, lastSeen: this.#now() };
      this.#unsaved.seen(known);
    }
    await this.#unsaved.save(store);
  }

  /** A new watcher is told where it stands in any case; later nothing is said twice. */
  #answer({ record }: Known, told: Told): GoalAnswer | undefined {
    if (!told.hasReported) return undefined;
    const offer = this.#options.offer(record, told.sent);
    if (offer.kind === 'Send') {
      told.sent = offer.sent;
      told.reason = '';
      return { kind: 'Goal', goal: offer.goal };
    }
    const isFirst = told.sent === undefined && told.reason === '';
    const reason = reasonOf(offer);
    if (!isFirst && (offer.kind !== 'Nothing' || reason === told.reason)) return undefined;
    told.reason = reason;
    return { kind: 'NoGoal', reason };
  }

  #admit(identity: WatcherIdentity): Known {
    const { service, id } = identity;
    if (!this.#options.isService(service)) {
      throw new WatcherRefusedError(
        'UnknownService',
        `there is no service ${service}; apply it, or mend the watcher's file`,
      );
    }
    this.#expected.get(service)?.delete(id);
    const boxes = this.#boxes(service);
    const known = boxes.get(id);
    if (known !== undefined) return ofSameTenant(known, identity);
    if (boxes.size >= MOST_WATCHERS) this.#makeRoom(service, boxes);
    const lastSeen = this.#now();
    const fresh: Known = {
      record: { identity, report: NO_REPORT, isConnected: true, lastSeen },
      savedSeen: lastSeen,
    };
    boxes.set(id, fresh);
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
    this.#unsaved.changed(known);
    this.#options.changed(record.identity.service);
  }

  *#all(): Iterable<Known> {
    for (const boxes of this.#services.values()) yield* boxes.values();
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

/** Throws WatcherRefusedError: a tenant does not get at the box of another by giving its own the same name. */
function ofSameTenant(known: Known, { service, id, tenant }: WatcherIdentity): Known {
  const { isConnected, identity } = known.record;
  if (!isConnected || identity.tenant === tenant) return known;
  throw new WatcherRefusedError(
    'OtherTenant',
    `${service} has a box ${id} of another tenant, which is connected; give this one another id`,
  );
}

/** A watcher that has said nothing of its box yet. */
const NO_REPORT: WatcherReport = { seen: 0, applied: 0, refusal: '', versions: [], diskFree: 0 };

function reasonOf(offer: Exclude<Offer, { kind: 'Send' }>): string {
  switch (offer.kind) {
    case 'UpToDate':
      return 'this box runs what it should';
    case 'Unanswered':
      return 'the last goal state has not been answered yet';
    case 'Refused':
    case 'Nothing':
      return offer.reason;
  }
}

function isSameReport(one: WatcherReport, other: WatcherReport): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf({ seen, applied, refusal, versions, windowOpens }: WatcherReport): string {
  const states = versions.map(({ version, state, reason, since }) => [version, state, reason, since]);
  return JSON.stringify([seen, applied, refusal, windowOpens ?? 0, states]);
}
