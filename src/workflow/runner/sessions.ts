/** The delegates that have a stream to a manager, and who of them is to be asked for at the next claim. */
import type { TenantName } from '../../model/names.ts';
import type { DelegateId } from '../../model/workflow.ts';
import type { ClaimedTask } from '../../ports/workflow-store.ts';
import type { DelegateSession } from './delegate-session.ts';

export class Sessions {
  readonly #byDelegate = new Map<DelegateId, Set<DelegateSession>>();
  readonly #byTenant = new Map<TenantName, Set<DelegateSession>>();
  readonly #toAsk = new Set<DelegateSession>();
  #count = 0;

  get size(): number {
    return this.#count;
  }

  *all(): Iterable<DelegateSession> {
    for (const sessions of this.#byDelegate.values()) yield* sessions;
  }

  of(tenant: TenantName): Iterable<DelegateSession> {
    return this.#byTenant.get(tenant) ?? [];
  }

  add(session: DelegateSession): void {
    const { worker, tenant } = session.arrival;
    addTo(this.#byDelegate, worker.delegate, session);
    addTo(this.#byTenant, tenant, session);
    this.#count += 1;
    this.hasPlace(session);
  }

  /** False: it is not here. */
  remove(session: DelegateSession): boolean {
    if (!this.has(session)) return false;
    const { worker, tenant } = session.arrival;
    removeFrom(this.#byDelegate, worker.delegate, session);
    removeFrom(this.#byTenant, tenant, session);
    this.#toAsk.delete(session);
    this.#count -= 1;
    return true;
  }

  has(session: DelegateSession): boolean {
    return this.#byDelegate.get(session.arrival.worker.delegate)?.has(session) === true;
  }

  /** The same delegate of the same version and tenant, on an older stream. */
  sameAs({ arrival: { worker, tenant } }: DelegateSession): DelegateSession | undefined {
    return [...(this.#byDelegate.get(worker.delegate) ?? [])].find(
      ({ arrival }) => arrival.worker.version === worker.version && arrival.tenant === tenant,
    );
  }

  /** Whose task it is: a box may have delegates of several versions, and only one that may work on it counts. */
  receiver({ task, delegate }: ClaimedTask): DelegateSession | undefined {
    return [...(this.#byDelegate.get(delegate) ?? [])].find(
      ({ arrival, versions, free }) =>
        free > 0 &&
        arrival.tenant === task.tenant &&
        versions.includes(task.version) &&
        task.tags.every((tag) => arrival.tags.includes(tag)),
    );
  }

  /** It may have a place that nobody has looked for a task for. */
  hasPlace(session: DelegateSession): void {
    if (session.free > 0 && this.has(session)) this.#toAsk.add(session);
  }

  /** Tasks may have become due: of one tenant, or of any. */
  ask(tenant?: TenantName): void {
    const sessions = tenant === undefined ? this.all() : this.of(tenant);
    for (const session of sessions) this.hasPlace(session);
  }

  /** Up to `limit` that are to be asked for, who have waited longest first; they count as asked. */
  next(limit: number): readonly DelegateSession[] {
    const chosen: DelegateSession[] = [];
    for (const session of this.#toAsk) {
      if (chosen.length >= limit) break;
      this.#toAsk.delete(session);
      if (session.free > 0) chosen.push(session);
    }
    return chosen;
  }
}

function addTo<Key>(index: Map<Key, Set<DelegateSession>>, key: Key, session: DelegateSession): void {
  const sessions = index.get(key);
  if (sessions === undefined) index.set(key, new Set([session]));
  else sessions.add(session);
}

function removeFrom<Key>(index: Map<Key, Set<DelegateSession>>, key: Key, session: DelegateSession): void {
  const sessions = index.get(key);
  sessions?.delete(session);
  if (sessions?.size === 0) index.delete(key);
}
