/** One round for one service: observe, plan, execute. Rounds of different services never wait for each other. */
import type { ServiceName, VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import { groupMoves, groupOf } from '../rollout/group.ts';
import type { Observation, RemovalObservation, RolloutObservation } from '../rollout/observation.ts';
import { isActivity, isRecording, type PlanAction, plan } from '../rollout/plan.ts';
import { applyActions } from '../rollout/record.ts';
import { walkerOf } from '../rollout/walk.ts';
import type { Activities } from './activities.ts';
import type { Barriers } from './barriers.ts';
import { verdictOf } from './guards.ts';
import type { Ledger } from './ledger.ts';
import type { Measurements } from './measurements.ts';
import type { ProxyTracker } from './proxies.ts';
import type { Publications } from './publications.ts';
import { instancesOf, offeredVersions, type RuntimeSet, wantVersions } from './runtimes.ts';

/** What a round works with. */
export interface RoundParts {
  readonly ledger: Ledger;
  readonly publications: Publications;
  readonly proxies: ProxyTracker;
  readonly activities: Activities;
  readonly measurements: Measurements;
  readonly barriers: Barriers;
  readonly runtimes: RuntimeSet;
  readonly clock: Clock;
}

/** A record with what the plan wants done. */
interface Planned {
  readonly record: ServiceRecord;
  readonly actions: readonly PlanAction[];
}

/**
 * Runs one round for a service and those that move together with it. Resolves with true when a record changed, so that
 * another round should follow.
 */
export async function runRound(parts: RoundParts, service: ServiceName): Promise<boolean> {
  const record = parts.ledger.records().get(service);
  if (record === undefined) return false;
  const planned = planGroup(parts, groupOf(record, parts.ledger.records().values()));
  const changed = await recordActions(parts, planned);
  for (const { record: member, actions } of planned) await execute(parts, member.name, actions);
  return changed;
}

function planGroup(parts: RoundParts, records: readonly ServiceRecord[]): readonly Planned[] {
  const observed = records.map((record) => ({ record, observation: observe(parts, record) }));
  const walkers = observed.map(({ record, observation }) => walkerOf(record, observation));
  const walking = walkers.filter((walker) => walker !== undefined);
  const moves = groupMoves(walking, records);
  return observed.map(({ record, observation }, index) => {
    const walker = walkers[index];
    return { record, actions: plan(record, observation, walker && moves.get(walker)) };
  });
}

/** Starts what takes long; nobody waits for it. */
async function execute(
  parts: RoundParts,
  service: ServiceName,
  actions: readonly PlanAction[],
): Promise<void> {
  const current = parts.ledger.records().get(service);
  parts.measurements.tidy(service, current);
  if (current === undefined) return;
  await wantVersions(parts.runtimes, current);
  const instances = instancesOf(parts.runtimes, current);
  for (const action of actions) {
    if (isActivity(action)) parts.activities.start(current, action, instances);
    else if (action.kind === 'Measure') parts.measurements.start(current, action.check, instances);
  }
}

/** What the plan is told of a service now. */
export function observe(parts: RoundParts, record: ServiceRecord): Observation {
  const rollout = observeRollout(parts, record);
  return {
    now: parts.clock.now(),
    instances: instancesOf(parts.runtimes, record),
    offered: offeredVersions(parts.runtimes, record),
    work: parts.activities.observations(record),
    stillRouting: observeStillRouting(parts, record),
    removals: observeRemovals(parts, record),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

function observeRollout(parts: RoundParts, { name, rollout }: ServiceRecord): RolloutObservation | undefined {
  if (rollout === undefined || !isOpen(rollout.state)) return undefined;
  const runs = parts.measurements.runs(rollout, parts.clock.now());
  const verdict = verdictOf(rollout, runs);
  return {
    runs: runs.map(({ run }) => run),
    ...(verdict === undefined ? {} : { verdict }),
    shown: parts.barriers.look(name),
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

/** Commits what is to be recorded, of all together, unless somebody changed one meanwhile: then the next round plans again. */
async function recordActions(parts: RoundParts, planned: readonly Planned[]): Promise<boolean> {
  const recording = planned
    .map(({ record, actions }) => ({ record, actions: actions.filter(isRecording) }))
    .filter(({ actions }) => actions.length > 0);
  if (recording.length === 0) return false;
  return parts.ledger.change((records) => {
    const isStale = planned.some(({ record }) => records.get(record.name) !== record);
    if (isStale) return { result: true };
    const now = parts.clock.now();
    const applied = recording.map(({ record, actions }) => applyActions({ record, actions, now }));
    const events = applied.flatMap((one) => one.events);
    return { commit: { services: applied.map(({ record }) => record), events }, result: true };
  });
}
