/**
 * What the controller does next for one service: a pure function of what is recorded, what was observed, and the
 * time. Its output is data, each action with its `because`. Recording actions change the record in one commit;
 * activities (fence, lift, count) start long work whose outcome is observed in a later round.
 */
import { isoTime } from '../model/instant.ts';
import type { TenantName, VersionName } from '../model/names.ts';
import { freezeAt } from '../model/rollout.ts';
import {
  type DrainCertificate,
  findVersion,
  type ServiceRecord,
  type VersionRecord,
  type VersionState,
} from '../model/state.ts';
import { countReady, type Observation } from './observation.ts';
import { versionsOffered } from './offered.ts';
import { stateWhenUp, whyLeft } from './plan-delegates.ts';
import { planRoll, planRollout, type RolloutAction } from './plan-rollout.ts';
import { planGaps } from './primary-service.ts';
import { versionsToRetire, versionsToTearDown } from './teardown.ts';
import { type Move, nextMove, walkerOf } from './walk.ts';

export type PlanAction = RecordingAction | Activity | Measuring;

/** Changes to the record. */
export type RecordingAction =
  | RolloutAction
  | ({ readonly because: string } & (
      | { readonly kind: 'AddVersion'; readonly version: VersionName }
      | {
          readonly kind: 'MoveVersion';
          readonly version: VersionName;
          readonly to: VersionState;
          readonly reason: string;
          /** What a move to Drained rests on. */
          readonly certificate?: DrainCertificate;
        }
      | { readonly kind: 'FirstPrimary'; readonly version: VersionName }
      | { readonly kind: 'EndShift' }
      | { readonly kind: 'ReleaseHold'; readonly tenant: TenantName }
      | { readonly kind: 'ForgetFence'; readonly version: VersionName }
      | { readonly kind: 'EndFreeze' }
      | { readonly kind: 'TearDown'; readonly version: VersionName }
      | { readonly kind: 'BeginRetirement'; readonly version: VersionName }
      | {
          readonly kind: 'AdvanceRetirement';
          readonly version: VersionName;
          readonly to: 'Refusing' | 'RemovingCluster' | 'StoppingInstances';
        }
    ));

/** Long work; at most one runs for each kind and version. */
export type Activity = { readonly because: string; readonly version: VersionName } & (
  | { readonly kind: 'FenceAndCount' }
  | { readonly kind: 'LiftFence' }
);

/** One measurement of a check of the open rollout; at most one runs for each check. */
export interface Measuring {
  readonly kind: 'Measure';
  readonly check: string;
  readonly because: string;
}

/**
 * The next actions; empty when nothing is to be done. The order is the order of execution. `move` is the rollout's next
 * move where a group has a say in it; else it decides alone.
 */
export function plan(
  record: ServiceRecord,
  observed: Observation,
  move: Move | undefined = ownMove(record, observed),
): readonly PlanAction[] {
  return [
    ...planOffered(record, observed),
    ...record.versions.flatMap((version) => planVersion({ record, version, observed })),
    ...planFirstPrimary(record, observed),
    ...planTeardown(record, observed),
    ...(move === undefined ? [] : planRollout(record, move)),
    ...planRollOf(record, observed),
    ...planGaps(record, observed),
    ...planShift(record, observed),
    ...planHolds(record, observed),
    ...planFreeze(record, observed),
    ...planMeasurements(observed),
  ];
}

function ownMove(record: ServiceRecord, observed: Observation): Move | undefined {
  const walker = walkerOf(record, observed);
  return walker === undefined ? undefined : nextMove(walker);
}

/** Whether an action is an activity about open work. */
export function isActivity(action: PlanAction): action is Activity {
  return action.kind === 'FenceAndCount' || action.kind === 'LiftFence';
}

/** Whether an action changes the record. */
export function isRecording(action: PlanAction): action is RecordingAction {
  return !isActivity(action) && action.kind !== 'Measure';
}

interface VersionInput {
  readonly record: ServiceRecord;
  readonly version: VersionRecord;
  readonly observed: Observation;
}

function planOffered(record: ServiceRecord, { offered }: Observation): PlanAction[] {
  const because = (version: VersionName): string => `${version} is listed by address`;
  const { taken } = versionsOffered(record, offered);
  return taken.map((version) => ({ kind: 'AddVersion', version, because: because(version) }));
}

function planVersion(input: VersionInput): PlanAction[] {
  const { record, version, observed } = input;
  if (version.retirement !== undefined) return planRetirement(input);
  switch (version.state) {
    case 'Deploying':
    case 'Registering': {
      const ready = countReady(observed.instances, version.name);
      const to = stateWhenUp(record, version.name);
      if (ready === 0 || version.state === to) return [];
      return [moved(version, to, 'InstancesReady', `${plural(ready, 'instance')} of ${version.name} ready`)];
    }
    case 'Draining':
    case 'Drained':
      return planDrain(input);
    case 'Standby':
    case 'Ramping':
    case 'Primary':
      return version.fenced ? planLift(input) : [];
    case 'Retired':
      return [];
  }
}

function planRollOf(record: ServiceRecord, observed: Observation): readonly PlanAction[] {
  const walker = walkerOf(record, observed);
  return walker === undefined ? [] : planRoll(walker);
}

function planDrain({ record, version, observed }: VersionInput): PlanAction[] {
  if (record.spec.drain.source.kind === 'none') return [];
  // Rule 8: off the default routes first, acknowledged by all; a fenced version would refuse what still comes.
  const isRouted = (observed.stillRouting.get(version.name) ?? []).length > 0;
  if (version.state === 'Draining' && isRouted && version.fenceAtOnce !== true) return [];
  const work = observed.work.get(version.name);
  const recount: PlanAction = {
    kind: 'FenceAndCount',
    version: version.name,
    because: `${version.name} is ${version.state}`,
  };
  if (work === undefined || !work.fenceConfirmed || work.open === undefined) return [recount];
  if (version.state === 'Draining' && work.open === 0) {
    return [
      {
        kind: 'MoveVersion',
        version: version.name,
        to: 'Drained',
        reason: 'CountedToZero',
        ...(work.certificate && { certificate: work.certificate }),
        because: `no open work on ${version.name}, ${certificateText(work.certificate)}`,
      },
      recount,
    ];
  }
  if (version.state === 'Drained' && work.open > 0) {
    return [
      moved(
        version,
        'Draining',
        'WorkAppeared',
        `${plural(work.open, 'piece')} of open work appeared on ${version.name}`,
      ),
      recount,
    ];
  }
  return [recount];
}

function planLift({ record, version, observed }: VersionInput): PlanAction[] {
  const lifted =
    record.spec.drain.source.kind === 'none' || observed.work.get(version.name)?.liftConfirmed === true;
  if (lifted) {
    return [{ kind: 'ForgetFence', version: version.name, because: `${version.name} takes new work again` }];
  }
  return [{ kind: 'LiftFence', version: version.name, because: `${version.name} is ${version.state} again` }];
}

function planRetirement({ record, version, observed }: VersionInput): PlanAction[] {
  const { retirement } = version;
  if (retirement === undefined) return [];
  if (retirement.step === 'StoppingInstances') {
    const owned = record.spec.runtime.kind !== 'endpoints';
    const running = observed.instances.filter((instance) => instance.version === version.name).length;
    if (owned && running > 0) return [];
    return [
      moved(version, 'Retired', 'Retired', `routes, cluster and instances of ${version.name} are gone`),
    ];
  }
  if (retirement.step === 'LeavingGoalStates') {
    const because = whyLeft({ version, retirement, observed });
    return because === undefined
      ? []
      : [{ kind: 'AdvanceRetirement', version: version.name, to: 'Refusing', because }];
  }
  const removal = observed.removals.get(version.name);
  if (removal === undefined || removal.step !== retirement.step) return [];
  if (removal.waitingFor.length > 0 && !retirement.waiveStragglers) return [];
  const because =
    removal.waitingFor.length > 0
      ? `waived for ${removal.waitingFor.join(', ')}`
      : `every proxy has acknowledged that ${version.name} is ${retirement.step === 'Refusing' ? 'refused' : 'gone'}`;
  const to = retirement.step === 'Refusing' ? 'RemovingCluster' : 'StoppingInstances';
  return [{ kind: 'AdvanceRetirement', version: version.name, to, because }];
}

function planFirstPrimary(record: ServiceRecord, observed: Observation): PlanAction[] {
  const wanted = record.spec.version;
  if (record.traffic.kind !== 'none' || countReady(observed.instances, wanted) === 0) return [];
  const version = findVersion(record, wanted);
  if (version === undefined || version.retirement !== undefined) return [];
  return [
    {
      kind: 'FirstPrimary',
      version: wanted,
      because: `${wanted} is ready and ${record.name} has no primary`,
    },
  ];
}

function planTeardown(record: ServiceRecord, observed: Observation): PlanAction[] {
  return [
    ...versionsToTearDown(record, observed.now).map(
      ({ version, because }): PlanAction => ({ kind: 'TearDown', version, because }),
    ),
    ...versionsToRetire(record).map(
      (version): PlanAction => ({
        kind: 'BeginRetirement',
        version,
        because: `${version} was torn down and has no open work, ${certificateOf(record, observed, version)}`,
      }),
    ),
  ];
}

/** The count of now, where it was made already, else that with which the version became Drained. */
function certificateOf(record: ServiceRecord, { work, now }: Observation, name: VersionName): string {
  const certificate = work.get(name)?.certificate ?? findVersion(record, name)?.certificate;
  return `${certificateText(certificate)}, as of ${isoTime(now)}`;
}

function certificateText(certificate: DrainCertificate = 'observed'): string {
  const how = certificate === 'atomic' ? 'in one transaction with the fence' : 'behind the fence';
  return `certificate: ${certificate}, 0 counted ${how}`;
}

/** Measures what is due. */
function planMeasurements({ rollout, now }: Observation): PlanAction[] {
  return (rollout?.runs ?? [])
    .filter(({ nextAt }) => nextAt !== undefined && nextAt <= now)
    .map(({ check, state }) => ({ kind: 'Measure', check, because: `${check} is ${state}` }));
}

/** A shift by hand whose candidate lost its last ready endpoint ends; a rollout ends its own. */
function planShift({ traffic, rollout }: ServiceRecord, observed: Observation): PlanAction[] {
  if (traffic.kind !== 'shifting' || countReady(observed.instances, traffic.candidate) > 0) return [];
  const isWalked = rollout?.version === traffic.candidate && rollout.state !== 'Paused';
  if (isWalked && rollout.endedAt === undefined) return [];
  return [
    { kind: 'EndShift', because: `${traffic.candidate} lost its last ready endpoint at ${traffic.weight}%` },
  ];
}

function planHolds(record: ServiceRecord, observed: Observation): PlanAction[] {
  return record.holds
    .filter(({ expires }) => expires <= observed.now)
    .map(({ tenant, version }) => ({
      kind: 'ReleaseHold',
      tenant,
      because: `the hold of ${tenant} on ${version} has expired`,
    }));
}

function planFreeze({ name, freeze }: ServiceRecord, { now }: Observation): PlanAction[] {
  if (freeze === undefined || freezeAt(freeze, now) !== undefined) return [];
  return [{ kind: 'EndFreeze', because: `the freeze of ${name} (${freeze.reason}) is over` }];
}

function moved(version: VersionRecord, to: VersionState, reason: string, because: string): PlanAction {
  return { kind: 'MoveVersion', version: version.name, to, reason, because };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
