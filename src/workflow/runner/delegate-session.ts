/** What one delegate has, as far as its manager knows: pure bookkeeping, without I/O and without a timer. */
import type { Instant } from '../../model/instant.ts';
import type { TenantName, VersionName } from '../../model/names.ts';
import type {
  DelegateRegistration,
  DelegateWorker,
  ExecutionId,
  ManagerId,
  Task,
  TaskId,
} from '../../model/workflow.ts';
import type { ClaimedTask, DelegateLease, DelegateSlots, TaskLease } from '../../ports/workflow-store.ts';

/** Who came, and with what. */
export interface Arrival {
  readonly worker: DelegateWorker;
  readonly tenant: TenantName;
  readonly tags: readonly string[];
  /** Tasks that it takes at a time; 0: none. */
  readonly capacity: number;
  /** Tasks that it has from before. */
  readonly running: readonly TaskLease[];
}

/** How to reach it. None may throw. */
export interface DelegateLink {
  assign(claimed: ClaimedTask): void;
  stop(lease: TaskLease, reason: string): void;
  /** Nothing comes to it on this stream any more. */
  end(reason: string): void;
}

/** How a task stands with the delegate. */
type Place =
  /** Sent; the delegate has not named it yet. */
  | { readonly kind: 'Sent'; readonly task: Task; readonly until: Instant }
  | { readonly kind: 'Running'; readonly task?: Task }
  /** The delegate names it, and the store was not asked yet whether it may. */
  | { readonly kind: 'Named' }
  /** The delegate was told to stop; the place is free when it names the task no more. */
  | { readonly kind: 'Stopping' };

export class DelegateSession {
  readonly arrival: Arrival;
  readonly link: DelegateLink;
  /** Its own version, and those that it continues. */
  readonly versions: readonly VersionName[];
  readonly since: Instant;
  lastSeen: Instant;
  #capacity: number;
  /** By task and token: the same task may come again before the first attempt has stopped. */
  readonly #places = new Map<string, Place>();

  constructor(parts: {
    arrival: Arrival;
    link: DelegateLink;
    versions: readonly VersionName[];
    now: Instant;
  }) {
    this.arrival = parts.arrival;
    this.link = parts.link;
    this.versions = parts.versions;
    this.since = parts.now;
    this.lastSeen = parts.now;
    this.#capacity = parts.arrival.capacity;
  }

  /** Tasks that it can take now. */
  get free(): number {
    return Math.max(0, this.#capacity - this.#places.size);
  }

  /** Places that are not free. */
  get taken(): number {
    return this.#places.size;
  }

  /** Takes over tasks that it had before. */
  adopt(leases: readonly TaskLease[]): void {
    for (const lease of leases) this.#places.set(keyOf(lease), { kind: 'Running' });
  }

  /** Whether there is a place for it, which it has from now on. */
  take({ task, lease }: ClaimedTask): boolean {
    if (this.free === 0) return false;
    const key = keyOf({ task: task.id, token: lease.token });
    this.#places.set(key, { kind: 'Sent', task, until: lease.until });
    return true;
  }

  /**
   * What it says that it has. Answers the leases that are to be renewed for it, those that it must give up for a later one
   * of the same task, and those that it will not begin: what is on its way to one that takes none any more.
   */
  heard(said: { capacity: number; running: readonly TaskLease[]; now: Instant }): {
    readonly renew: readonly TaskLease[];
    readonly outdated: readonly TaskLease[];
    readonly refused: readonly TaskLease[];
  } {
    this.#capacity = said.capacity;
    this.lastSeen = said.now;
    const named = new Set(said.running.map(keyOf));
    const refused: TaskLease[] = [];
    for (const [key, place] of this.#places) {
      if (named.has(key)) continue;
      if (place.kind === 'Sent' && said.capacity === 0)
        refused.push({ task: place.task.id, token: tokenOf(key) });
      else if (place.kind === 'Sent' && place.until >= said.now) continue;
      this.#places.delete(key);
    }
    for (const key of named) {
      const place = this.#places.get(key);
      if (place === undefined) this.#places.set(key, { kind: 'Named' });
      else if (place.kind === 'Sent') this.#places.set(key, { kind: 'Running', task: place.task });
    }
    const { newest, outdated } = sortedByAge(said.running);
    return {
      renew: newest.filter((lease) => this.#places.get(keyOf(lease))?.kind !== 'Stopping'),
      outdated,
      refused,
    };
  }

  /** The task as it was assigned here; undefined for those that it brought. */
  task(lease: TaskLease): Task | undefined {
    const place = this.#places.get(keyOf(lease));
    return place?.kind === 'Sent' || place?.kind === 'Running' ? place.task : undefined;
  }

  /** Whether the task is known to be its own. */
  owns(lease: TaskLease): boolean {
    const place = this.#places.get(keyOf(lease));
    return place?.kind === 'Sent' || place?.kind === 'Running';
  }

  /** The store has prolonged a lease that it named. */
  confirmed(lease: TaskLease): void {
    if (this.#places.get(keyOf(lease))?.kind === 'Named') this.#places.set(keyOf(lease), { kind: 'Running' });
  }

  /** Tasks of an execution that it was assigned here and has not been told to stop. */
  leasesOf(execution: ExecutionId): readonly TaskLease[] {
    return [...this.#places].flatMap(([key, place]) =>
      (place.kind === 'Sent' || place.kind === 'Running') && place.task?.execution === execution
        ? [{ task: place.task.id, token: tokenOf(key) }]
        : [],
    );
  }

  /** It has the task no more. */
  release(lease: TaskLease): void {
    this.#places.delete(keyOf(lease));
  }

  /** It is to stop. False: it has been told, or does not have the task. */
  stopping(lease: TaskLease): boolean {
    const place = this.#places.get(keyOf(lease));
    if (place === undefined || place.kind === 'Stopping') return false;
    this.#places.set(keyOf(lease), { kind: 'Stopping' });
    return true;
  }

  /** A lease as the store is asked about it: what it says counts for tasks of its own tenant and versions only. */
  held({ task, token }: TaskLease): DelegateLease {
    return { task, token, tenant: this.arrival.tenant, versions: this.versions };
  }

  get slots(): DelegateSlots {
    const { worker, tenant, tags } = this.arrival;
    return { worker, tenant, versions: this.versions, tags, free: this.free };
  }

  registration(manager: ManagerId): DelegateRegistration {
    const { worker, tenant, tags } = this.arrival;
    return {
      delegate: worker.delegate,
      tenant,
      version: worker.version,
      tags,
      capacity: this.#capacity,
      running: this.#places.size,
      manager,
      since: this.since,
      lastSeen: this.lastSeen,
    };
  }
}

function keyOf({ task, token }: TaskLease): string {
  return `${task}/${token}`;
}

function tokenOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}

/** Of several leases of one task only the newest can be good. */
export function sortedByAge(leases: readonly TaskLease[]): {
  readonly newest: readonly TaskLease[];
  readonly outdated: readonly TaskLease[];
} {
  const newest = new Map<TaskId, TaskLease>();
  const outdated: TaskLease[] = [];
  for (const lease of leases) {
    const other = newest.get(lease.task);
    if (other === undefined || other.token < lease.token) newest.set(lease.task, lease);
    if (other !== undefined) outdated.push(other.token < lease.token ? other : lease);
  }
  return { newest: [...newest.values()], outdated };
}
