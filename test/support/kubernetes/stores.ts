/** Stores on custom resources for tests: opened as some replica that leads, closed when the test ends. */
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import type { Leadership } from '../../../src/adapters/kubernetes/client/leader-election.ts';
import type { Objects } from '../../../src/adapters/kubernetes/store/objects.ts';
import type { StoreObserver } from '../../../src/adapters/kubernetes/store/observer.ts';
import {
  type KubernetesStore,
  type KubernetesStoreOptions,
  openKubernetesStore,
} from '../../../src/adapters/kubernetes/store/store.ts';
import type { AuditEvent } from '../../../src/model/audit.ts';
import type { Measurement } from '../../../src/model/measurement.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import type { TrafficCount } from '../../../src/model/traffic.ts';

/** All that an observer was told. */
export interface Told {
  readonly events: AuditEvent[];
  readonly ended: RolloutRecord[];
  readonly measurements: Measurement[];
  readonly counts: TrafficCount[];
  readonly troubles: string[];
}

export interface OpenedStore {
  readonly store: KubernetesStore;
  readonly told: Told;
  /** What the election says from now on. */
  readonly lead: (leadership: Leadership) => void;
}

function noOneTold(): Told {
  return { events: [], ended: [], measurements: [], counts: [], troubles: [] };
}

/** Options of a store whose replica leads in a term of its Lease. */
export function leaderOptions(
  objects: Objects,
  { term = 0, told = noOneTold() }: { readonly term?: number; readonly told?: Told } = {},
): KubernetesStoreOptions {
  const observer: StoreObserver = {
    happened: (events) => void told.events.push(...events),
    ended: (rollouts) => void told.ended.push(...rollouts),
    measured: (measurements) => void told.measurements.push(...measurements),
    counted: (counts) => void told.counts.push(...counts),
    trouble: (sentence) => void told.troubles.push(sentence),
  };
  return {
    objects,
    leadership: () => ({ kind: 'Leading', term }),
    clock: systemClock,
    monotonic: () => performance.now(),
    random: () => 0.5,
    observer,
    listsEvery: 0,
  };
}

/** Opens a store in a term of the Lease. It is closed when the test ends. */
export async function openedStore(
  objects: Objects,
  options: Partial<KubernetesStoreOptions> & { readonly term?: number } = {},
): Promise<OpenedStore> {
  const { term = 0, ...given } = options;
  const told = noOneTold();
  let leadership: Leadership = { kind: 'Leading', term };
  const store = await openKubernetesStore({
    ...leaderOptions(objects, { term, told }),
    leadership: () => leadership,
    ...given,
  });
  onTestFinished(() => store.close());
  return { store, told, lead: (next) => (leadership = next) };
}
