/** One round for one service: observe, plan, execute. Rounds of different services never wait for each other. */
import type { ServiceName, VersionName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import {
  isActivity,
  type Observation,
  type PlanAction,
  plan,
  type RecordingAction,
  type RemovalObservation,
} from '../rollout/plan.ts';
import { applyActions } from '../rollout/record.ts';
import type { Activities } from './activities.ts';
import type { Ledger } from './ledger.ts';
import type { ProxyTracker } from './proxies.ts';
import type { Publications } from './publications.ts';
import { instancesOf, offeredVersions, type RuntimeSet, wantVersions } from './runtimes.ts';

/** What a round works with. */
export interface RoundParts {
  readonly ledger: Ledger;
  readonly publications: Publications;
  readonly proxies: ProxyTracker;
  readonly activities: Activities;
  readonly runtimes: RuntimeSet;
  readonly clock: Clock;
}

/** Runs one round. Resolves with true when the record changed, so that another round should follow. */
export async function runRound(parts: RoundParts, service: ServiceName): Promise<boolean> {
  const record = parts.ledger.records().get(service);
  if (record === undefined) return false;
  const actions = plan(record, observe(parts, record));
  const changed = await recordActions(parts, record, actions);
  const current = parts.ledger.records().get(service);
  if (current === undefined) return false;
  await wantVersions(parts.runtimes, current);
  for (const action of actions) {
    if (isActivity(action)) parts.activities.start(current, action, instancesOf(parts.runtimes, current));
  }
  return changed;
}

function observe(parts: RoundParts, record: ServiceRecord): Observation {
  return {
    now: parts.clock.now(),
    instances: instancesOf(parts.runtimes, record),
    offered: offeredVersions(parts.runtimes, record),
    work: parts.activities.observations(record),
    stillRouting: observeStillRouting(parts, record),
    removals: observeRemovals(parts, record),
  };
}

/** Whom a drain waits for: proxies that have not acknowledged that the version is off the default routes. */
export function observeStillRouting(
  parts: Pick<RoundParts, 'publications' | 'proxies'>,
  record: ServiceRecord,
): Observation['stillRouting'] {
  const routing = new Map<VersionName, readonly string[]>();
  for (const { name, state } of record.versions) {
    if (state !== 'Draining') continue;
    const since = parts.publications.offDefaultSince(record.name, name);
    const behind =
      since === undefined
        ? ['the next publication']
        : parts.proxies.stragglers(since, 'routes').map(({ proxy }) => proxy);
    routing.set(name, behind);
  }
  return routing;
}

function observeRemovals(parts: RoundParts, record: ServiceRecord): Observation['removals'] {
  const removals = new Map<VersionName, RemovalObservation>();
  for (const { name, retirement } of record.versions) {
    const shown = parts.publications.firstShown(record.name, name);
    if (retirement === undefined || shown === undefined || shown.step !== retirement.step) continue;
    const waitingFor = parts.proxies.stragglers(shown.publication, 'all').map(({ proxy }) => proxy);
    removals.set(name, { step: shown.step, waitingFor });
  }
  return removals;
}

/** Commits the recording actions, unless somebody changed the record meanwhile: then the next round plans again. */
async function recordActions(
  parts: RoundParts,
  planned: ServiceRecord,
  actions: readonly PlanAction[],
): Promise<boolean> {
  const recording = actions.filter((action): action is RecordingAction => !isActivity(action));
  if (recording.length === 0) return false;
  return parts.ledger.change((records) => {
    if (records.get(planned.name)?.generation !== planned.generation) return { result: true };
    const { record, events } = applyActions({ record: planned, actions: recording, now: parts.clock.now() });
    return { commit: { services: [record], events }, result: true };
  });
}
