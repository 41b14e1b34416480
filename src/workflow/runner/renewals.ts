/** Leases of tasks that delegates have named since the last renewal: prolonged together, and the lost ones told. */
import type { Milliseconds } from '../../model/instant.ts';
import type { DelegateLease, TaskLease, WorkflowStore } from '../../ports/workflow-store.ts';
import type { DelegateSession } from './delegate-session.ts';

/** Leases of one call: larger ones would keep the store from others for too long. */
const LEASES_OF_A_CALL = 1_000;

interface Named {
  readonly lease: TaskLease;
  readonly session: DelegateSession;
}

export class Renewals {
  readonly #store: WorkflowStore;
  readonly #lease: Milliseconds;
  /** By tenant and task: what a delegate says of another tenant's tasks concerns nobody. */
  readonly #named = new Map<string, Named>();

  constructor(parts: { store: WorkflowStore; lease: Milliseconds }) {
    this.#store = parts.store;
    this.#lease = parts.lease;
  }

  add(session: DelegateSession, leases: readonly TaskLease[]): void {
    for (const lease of leases) {
      const key = keyOf({ lease, session });
      const other = this.#named.get(key);
      // Two delegates that name one task: only the newer lease can be good.
      if (other !== undefined && other.lease.token > lease.token) tell(session, lease);
      else {
        if (other !== undefined && other.lease.token < lease.token) tell(other.session, other.lease);
        this.#named.set(key, { lease, session });
      }
    }
  }

  /** Prolongs all that were named. Rejects where the store does not answer; they are tried again. */
  async flush(): Promise<void> {
    const all = [...this.#named.values()];
    for (let first = 0; first < all.length; first += LEASES_OF_A_CALL) {
      const part = all.slice(first, first + LEASES_OF_A_CALL);
      await this.prolong(part);
      for (const named of part) {
        const key = keyOf(named);
        if (this.#named.get(key)?.lease.token === named.lease.token) this.#named.delete(key);
      }
    }
  }

  /** Prolongs these now, and tells their delegates what is lost. Rejects where the store does not answer. */
  async prolong(named: readonly Named[]): Promise<void> {
    const lost = await this.renew(named.map(({ lease, session }) => session.held(lease)));
    const keys = new Set(lost.map(({ task, token, tenant }) => `${tenant}/${task}/${token}`));
    for (const { lease, session } of named) {
      if (keys.has(`${session.arrival.tenant}/${lease.task}/${lease.token}`)) tell(session, lease);
      else session.confirmed(lease);
    }
  }

  /** Prolongs these at once. Answers those that are lost. */
  async renew(leases: readonly DelegateLease[]): Promise<readonly DelegateLease[]> {
    if (leases.length === 0) return [];
    return this.#store.renewTasks({ leases, lease: this.#lease });
  }
}

function keyOf({ lease, session }: Named): string {
  return `${session.arrival.tenant}/${lease.task}`;
}

function tell(session: DelegateSession, lease: TaskLease): void {
  if (session.stopping(lease)) {
    session.link.stop(lease, 'it was cancelled, or somebody else has it');
  }
}
