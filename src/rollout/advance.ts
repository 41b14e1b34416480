/** The changes that a rollout makes to its service's record: pure, record in, record out. */
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { TenantName } from '../model/names.ts';
import type { DelegateCounts, RolloutRecord, RolloutState, RolloutStep } from '../model/rollout.ts';
import { findVersion, type Hold, type ServiceRecord } from '../model/state.ts';
import { inState } from './states.ts';
import { endShift, flipTo, moveVersion, replaceVersion, rollBack, shiftTo } from './transition.ts';

/** The record with its rollout in another state. */
export function holdRollout(
  record: ServiceRecord,
  hold: {
    readonly state: RolloutState;
    readonly reason: string;
    readonly because: string;
    readonly now: Instant;
  },
): ServiceRecord {
  const { state, reason: stateReason, because, now } = hold;
  return patch(record, (rollout) => inState(rollout, { state, stateReason, because, now }));
}

/** The record with its rollout's step counted as everywhere from now on; `mixedFor`: how long old and new were mixed. */
export function markEverywhere(
  record: ServiceRecord,
  { now, mixedFor }: { readonly now: Instant; readonly mixedFor?: Milliseconds },
): ServiceRecord {
  return patch(record, (rollout) => ({
    ...rollout,
    stepEverywhere: now,
    ...(mixedFor === undefined ? {} : { mixedFor: Math.max(mixedFor, rollout.mixedFor ?? 0) }),
  }));
}

/** The record with its rollout in the step, and the traffic as the step wants it. */
export function enterStep(
  record: ServiceRecord,
  enter: {
    readonly step: RolloutStep;
    readonly heldBack: readonly TenantName[];
    readonly delegates?: DelegateCounts;
    readonly because: string;
    readonly now: Instant;
  },
): ServiceRecord {
  const { step, heldBack, delegates, because, now } = enter;
  const { rollout } = record;
  if (rollout === undefined) return record;
  const held = withHeldBack(registered(record, rollout, step, now), rollout, { heldBack, now });
  return patch(withTrafficOf(held, rollout, step, now), (current) => {
    const { stepEverywhere: _past, ...rest } = current;
    const moved = inState(rest, { state: 'Progressing', stateReason: doing(step), because, now });
    return { ...moved, step, stepSince: now, ...(delegates === undefined ? {} : { delegates }) };
  });
}

/** A version that has its delegates stands by. */
function registered(
  record: ServiceRecord,
  { version }: RolloutRecord,
  step: RolloutStep,
  now: Instant,
): ServiceRecord {
  const isRegistering = findVersion(record, version)?.state === 'Registering';
  if (!isRegistering || step.kind === 'Register') return record;
  return moveVersion(record, { version, to: 'Standby', change: { now, reason: 'DelegatesRegistered' } });
}

function withHeldBack(
  record: ServiceRecord,
  { id, version, baseline, policy }: RolloutRecord,
  { heldBack, now }: { readonly heldBack: readonly TenantName[]; readonly now: Instant },
): ServiceRecord {
  if (heldBack.length === 0) return record;
  const reason = `held back: its delegates were missing on ${version}`;
  const expires = after(now, policy.delegates?.holdFor ?? 0);
  const holds = heldBack.map(
    (tenant): Hold => ({
      tenant,
      version: baseline,
      reason,
      by: 'controller',
      since: now,
      expires,
      heldBackBy: id,
    }),
  );
  const others = record.holds.filter(({ tenant }) => !heldBack.includes(tenant));
  return { ...record, holds: [...others, ...holds] };
}

/** The record with the roll of its rollout fixed; the roll itself is kept apart. */
export function withRollFixed(record: ServiceRecord, now: Instant): ServiceRecord {
  return patch(record, (rollout) => ({ ...rollout, rollFixedAt: now }));
}

function withTrafficOf(
  record: ServiceRecord,
  rollout: RolloutRecord,
  step: RolloutStep,
  now: Instant,
): ServiceRecord {
  if (step.kind !== 'Shift') return record;
  if (step.weight === 100) return flipTo(record, rollout.version, { now, reason: 'Flipped' });
  return shiftTo(record, {
    candidate: rollout.version,
    weight: step.weight,
    change: { now, reason: 'Shifting' },
  });
}

function doing(step: RolloutStep): string {
  switch (step.kind) {
    case 'Deploy':
      return 'Deploying';
    case 'Register':
      return 'Registering';
    case 'Verify':
      return 'Verifying';
    case 'Cohort':
      return 'Shifting';
    case 'Shift':
      return step.weight === 100 ? 'Flipping' : 'Shifting';
    case 'Soak':
      return 'Soaking';
  }
}

/** How a rollout ends. */
export interface End {
  readonly state: Extract<RolloutState, 'Succeeded' | 'Aborted' | 'RolledBack' | 'Failed'>;
  readonly reason: string;
  readonly because: string;
  /** The candidate was measured and found bad: it is quarantined, and drains. */
  readonly isBad: boolean;
  readonly now: Instant;
}

/** The record with its rollout ended and, unless it succeeded, the default traffic where it came from. */
export function endRollout(record: ServiceRecord, end: End): ServiceRecord {
  const { rollout } = record;
  if (rollout === undefined) return record;
  const { state, reason: stateReason, because, now } = end;
  const back = trafficBack(record, rollout, end);
  const released = state === 'Succeeded' ? back : withoutHeldBack(back, rollout);
  const judged = end.isBad ? quarantine(released, rollout, end) : released;
  return patch(judged, (current) => ({
    ...inState(current, { state, stateReason, because, now }),
    endedAt: now,
    ...(back.traffic === record.traffic ? {} : { movedBackAt: now }),
  }));
}

/** Without the holds of a rollout: the traffic is where those tenants were held. */
export function withoutHeldBack(record: ServiceRecord, { id }: RolloutRecord): ServiceRecord {
  const holds = record.holds.filter(({ heldBackBy }) => heldBackBy !== id);
  return holds.length === record.holds.length ? record : { ...record, holds };
}

function trafficBack(record: ServiceRecord, rollout: RolloutRecord, { state, now }: End): ServiceRecord {
  const change = { now, reason: state };
  const { traffic } = record;
  if (state === 'RolledBack') return rollBack(record, rollout.baseline, change);
  const isOurs = traffic.kind === 'shifting' && traffic.candidate === rollout.version;
  return state === 'Aborted' && isOurs ? endShift(record, change) : record;
}

function quarantine(record: ServiceRecord, rollout: RolloutRecord, { because, now }: End): ServiceRecord {
  const version = findVersion(record, rollout.version);
  if (version === undefined) return record;
  const mark = { kind: 'Quarantined', reason: because, by: 'controller', since: now } as const;
  const marked = replaceVersion(record, { ...version, mark });
  if (version.state !== 'Standby' && version.state !== 'Registering') return marked;
  return moveVersion(marked, {
    version: rollout.version,
    to: 'Draining',
    change: { now, reason: 'Quarantined' },
  });
}

function patch(record: ServiceRecord, change: (rollout: RolloutRecord) => RolloutRecord): ServiceRecord {
  return record.rollout === undefined ? record : { ...record, rollout: change(record.rollout) };
}
