/** One round for one service: observe, plan, execute. Rounds of different services never wait for each other. */
import type { ServiceName, VersionName } from '../model/names.ts';
import type { PrimaryServiceStanding } from '../model/primary-service.ts';
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { GatewayRoutes } from '../ports/gateway-routes.ts';
import { groupMoves, groupOf } from '../rollout/group.ts';
import type { Observation, RemovalObservation, RolloutObservation } from '../rollout/observation.ts';
import { isActivity, isRecording, type PlanAction, plan } from '../rollout/plan.ts';
import { type Applied, applyActions } from '../rollout/record.ts';
import { walkerOf } from '../rollout/walk.ts';
import type { Activities } from './activities.ts';
import type { Barriers } from './barriers.ts';
import type { Fleet } from './fleet.ts';
import { advanceGoals, type GoalStates } from './goal-states.ts';
import { verdictOf } from './guards.ts';
import type { Ledger } from './ledger.ts';
import type { Measurements } from './measurements.ts';
import { type DelegateFacts, observeDelegates, observeLeaving } from './observe-delegates.ts';
import type { PrimaryServiceView } from './options.ts';
import type { ProxyTracker } from './proxies.ts';
import type { Publications } from './publications.ts';
import type { Rosters } from './rosters.ts';
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
  readonly fleet: Fleet;
  readonly rosters: Rosters;
  readonly goalStates: GoalStates;
  readonly primaryServices?: PrimaryServiceView;
  readonly gatewayRoutes?: Pick<GatewayRoutes, 'behind'>;
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
  if (current === undefined) {
    parts.rosters.forget(service);
    parts.goalStates.forget(service);
    return;
  }
  if (parts.goalStates.planned(current)) parts.fleet.goalsChanged(service);
  await wantVersions(parts.runtimes, current);
  const instances = instancesOf(parts.runtimes, current);
  parts.rosters.look(current, instances);
  for (const action of actions) {
    if (isActivity(action)) parts.activities.start(current, action, instances);
    else if (action.kind === 'Measure') parts.measurements.start(current, action.check, instances);
  }
}

/** What the plan is told of a service now. */
export function observe(parts: RoundParts, record: ServiceRecord): Observation {
  const now = parts.clock.now();
  let watchers: ReturnType<typeof parts.fleet.byId> | undefined;
  const facts = {
    record,
    answer: parts.rosters.answer(record),
    // Thousands: gathered once for all who ask in this round.
    watchers: () => (watchers ??= parts.fleet.byId(record.name)),
    now,
  };
  const rollout = observeRollout(parts, facts);
  const primaryService = primaryServiceOf(parts, record);
  return {
    now,
    instances: instancesOf(parts.runtimes, record),
    offered: offeredVersions(parts.runtimes, record),
    work: parts.activities.observations(record),
    stillRouting: observeStillRouting(parts, record),
    removals: observeRemovals(parts, record),
    leaving: observeLeaving(facts),
    ...(primaryService === undefined ? {} : { primaryService }),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

/** Where the Service for clients without a proxy leads; undefined where the service's runtime has none. */
export function primaryServiceOf(
  { primaryServices }: Pick<RoundParts, 'primaryServices'>,
  { name, spec }: ServiceRecord,
): PrimaryServiceStanding | undefined {
  return spec.runtime.kind === 'kubernetes' ? primaryServices?.standing(name, spec.runtime) : undefined;
}

function observeRollout(parts: RoundParts, facts: DelegateFacts): RolloutObservation | undefined {
  const { name, rollout } = facts.record;
  if (rollout === undefined || !isOpen(rollout.state)) return undefined;
  const runs = parts.measurements.runs(rollout, facts.now);
  const verdict = verdictOf(rollout, runs);
  const delegates = observeDelegates(facts, rollout, parts.ledger.rollOf(rollout.id));
  return {
    runs: runs.map(({ run }) => run),
    ...(verdict === undefined ? {} : { verdict }),
    shown: parts.barriers.look(name),
    ...(delegates === undefined ? {} : { delegates }),
  };
}

/** Whom a drain waits for: proxies and gateways that have not taken that the version is off the default routes, and a Service. */
export function observeStillRouting(
  parts: Pick<RoundParts, 'publications' | 'proxies' | 'primaryServices' | 'gatewayRoutes'>,
  record: ServiceRecord,
): Observation['stillRouting'] {
  const routing = new Map<VersionName, readonly string[]>();
  for (const { name, state } of record.versions) {
    if (state !== 'Draining') continue;
    const since = parts.publications.offDefaultSince(record.name, name);
    const behind =
      since === undefined
        ? ['the next publication']
        : [
            ...parts.proxies.stragglers(since, 'routes').map(({ proxy }) => proxy),
            ...gatewaysBehind(parts, record),
          ];
    const service = primaryServiceOf(parts, record);
    const isLedTo = service?.kind === 'Leads' && service.version === name;
    routing.set(name, isLedTo ? [...behind, `Service ${service.name}`] : behind);
  }
  return routing;
}

function observeRemovals(parts: RoundParts, record: ServiceRecord): Observation['removals'] {
  const removals = new Map<VersionName, RemovalObservation>();
  for (const { name, retirement } of record.versions) {
    const shown = parts.publications.firstShown(record.name, name);
    if (retirement === undefined || shown === undefined || shown.step !== retirement.step) continue;
    const proxies = parts.proxies.stragglers(shown.publication, 'all').map(({ proxy }) => proxy);
    removals.set(name, { step: shown.step, waitingFor: [...proxies, ...gatewaysBehind(parts, record)] });
  }
  return removals;
}

/** What a gateway has accepted last may still name what is to go. */
function gatewaysBehind(
  { gatewayRoutes }: Pick<RoundParts, 'gatewayRoutes'>,
  { name }: ServiceRecord,
): readonly string[] {
  return gatewayRoutes?.behind(name) ?? [];
}

/** Commits what is to be recorded, of all together, unless somebody changed one meanwhile: then the next round plans again. */
async function recordActions(parts: RoundParts, planned: readonly Planned[]): Promise<boolean> {
  const recording = planned
    .map(({ record, actions }) => ({ record, actions: actions.filter(isRecording) }))
    .filter(({ record, actions }) => actions.length > 0 || hasNewGoals(parts, record));
  if (recording.length === 0) return false;
  return parts.ledger.change((records) => {
    const isStale = planned.some(({ record }) => records.get(record.name) !== record);
    if (isStale) return { result: true };
    const now = parts.clock.now();
    const applied = recording.map(({ record, actions }) => recordOne(parts, { record, actions, now }));
    const changed = applied.filter((one) => one !== undefined);
    if (changed.length === 0) return { result: false };
    const events = changed.flatMap((one) => one.events);
    const rolls = changed.flatMap((one) => one.rolls);
    return { commit: { services: changed.map(({ record }) => record), events, rolls }, result: true };
  });
}

/** What a service's record becomes, with the goal states that follow from it; undefined where nothing changes. */
function recordOne(
  parts: RoundParts,
  { record, actions, now }: Parameters<typeof applyActions>[0],
): Applied | undefined {
  const applied =
    actions.length === 0 ? { record, events: [], rolls: [] } : applyActions({ record, actions, now });
  const goals = advanceGoals({
    record: applied.record,
    watchers: parts.fleet.of(record.name),
    gathering: parts.fleet.gathering(record.name),
    now,
  });
  if (goals.record === record) return undefined;
  const generation = record.generation + 1;
  return {
    record: { ...goals.record, generation },
    events: [...applied.events, ...goals.events],
    rolls: applied.rolls,
  };
}

/** Whether goal states would follow from what is recorded that are not recorded yet. */
function hasNewGoals(parts: RoundParts, record: ServiceRecord): boolean {
  if (record.delegates === undefined && record.artifacts === undefined) return false;
  return recordOne(parts, { record, actions: [], now: parts.clock.now() }) !== undefined;
}
