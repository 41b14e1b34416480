/**
 * How a rollout begins, and how one that goes on makes way for it: first its traffic goes back (an abort, one flip),
 * then the new one starts. Also `retry`, which walks an ended one again, judged afresh.
 */
import type { Instant } from '../model/instant.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { isOpen, type RolloutPolicy, type RolloutRecord, rolloutId } from '../model/rollout.ts';
import type { VersionedService } from '../model/spec.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import { endRollout } from './advance.ts';
import { inState } from './states.ts';
import { isFlipped } from './steps.ts';
import { hasRoom } from './teardown.ts';
import { deployVersion, ForbiddenTransitionError, moveVersion, replaceVersion } from './transition.ts';

/** Who starts it, and how. */
export interface Start {
  readonly by: string;
  readonly reason: string;
  readonly urgent: boolean;
  readonly now: Instant;
  /** Services whose rollouts begin in the same change; fewer than two is no group. */
  readonly group: readonly ServiceName[];
}

/**
 * The record after its wanted version has changed: the rollout of it begun, where there is a primary to move from. The
 * first version needs none: it becomes primary when it is ready.
 */
export function startRollout(record: ServiceRecord, start: Start): ServiceRecord {
  const { now } = start;
  const wanted = record.spec.version;
  const change = { now, reason: 'Wanted' };
  if (record.traffic.kind === 'none') return deployVersion(record, wanted, change);
  const freed = makeWay(record, wanted, now);
  if (freed.traffic.kind === 'none' || freed.traffic.primary === wanted) return freed;
  const prepared = broughtBack(freed, wanted, now);
  const deployed = hasRoom(prepared, wanted) ? deployVersion(prepared, wanted, change) : prepared;
  return { ...deployed, rollout: withShareByHand(deployed, newRollout(record, freed, start), now) };
}

/** A share that somebody gave the version by hand stays: the first step could lower it, and tenants would move back (rule 3). */
function withShareByHand({ traffic }: ServiceRecord, rollout: RolloutRecord, now: Instant): RolloutRecord {
  if (traffic.kind !== 'shifting' || traffic.candidate !== rollout.version) return rollout;
  return inState(rollout, {
    state: 'Paused',
    stateReason: 'OperatorOverride',
    because: `${traffic.candidate} gets ${traffic.weight} % by hand; resume goes on from there, abort ends it`,
    now,
  });
}

/** What a rollout is told to do: a later change of the spec counts for the next one, or for a retry. */
export function policyOf({ traffic, verification, delegates }: VersionedService): RolloutPolicy {
  return {
    traffic,
    ...(verification === undefined ? {} : { verification }),
    ...(delegates.source.kind === 'none' ? {} : { delegates }),
  };
}

function newRollout(before: ServiceRecord, record: ServiceRecord, start: Start): RolloutRecord {
  const { spec, traffic, generation } = record;
  if (traffic.kind === 'none') throw new ForbiddenTransitionError(`${record.name} has no primary yet`);
  return {
    id: rolloutId(record.name, spec.version, generation),
    service: record.name,
    version: spec.version,
    baseline: traffic.primary,
    policy: policyOf(spec),
    startedAt: start.now,
    startedBy: start.by,
    reason: start.reason,
    urgent: start.urgent,
    keeps: keptWaysBack(before, traffic.primary),
    group: start.group.length < 2 ? [] : start.group,
    attempt: 1,
    state: 'Progressing',
    stateReason: 'Deploying',
    because: `${spec.version} is wanted`,
    since: start.now,
    step: { kind: 'Deploy' },
    stepSince: start.now,
    promoted: [],
  };
}

/** A version that was flipped to and has not Succeeded keeps the one before it up, so that a hotfix can fail too. */
function keptWaysBack({ rollout }: ServiceRecord, baseline: VersionName): readonly VersionName[] {
  if (rollout === undefined || rollout.version !== baseline || rollout.state === 'Succeeded') return [];
  return [...new Set([rollout.baseline, ...rollout.keeps])].filter((name) => name !== baseline);
}

/** The rollout that made way for another one of its service in one change, as it ended; undefined where none did. */
export function replacedRollout(before: ServiceRecord, after: ServiceRecord): RolloutRecord | undefined {
  const [earlier, later] = [before.rollout, after.rollout];
  if (earlier === undefined || later === undefined || later.id === earlier.id) return undefined;
  return isOpen(earlier.state) ? makeWay(before, later.version, later.startedAt).rollout : undefined;
}

/** Ends the rollout that goes on; a candidate that was never primary is Abandoned and drains. */
function makeWay(record: ServiceRecord, wanted: VersionName, now: Instant): ServiceRecord {
  const { rollout } = record;
  const because = `${wanted} is wanted instead`;
  let next = record;
  if (rollout !== undefined && isOpen(rollout.state)) {
    const state = isFlipped(record, rollout) ? 'Failed' : 'Aborted';
    next = endRollout(record, { state, reason: 'Superseded', because, isBad: false, now });
  }
  return rollout === undefined ? next : abandoned(next, rollout.version, wanted, now);
}

function abandoned(
  record: ServiceRecord,
  name: VersionName,
  wanted: VersionName,
  now: Instant,
): ServiceRecord {
  const version = findVersion(record, name);
  const isAnother = name !== wanted && version?.lastPrimary === undefined;
  if (version === undefined || !isAnother || version.mark !== undefined || version.state === 'Retired') {
    return record;
  }
  return replaceVersion(record, {
    ...version,
    mark: {
      kind: 'Abandoned',
      reason: `replaced by ${wanted} before it was primary`,
      by: 'controller',
      since: now,
    },
  });
}

/** A version that was on its way out, or found bad, is wanted again: it stands by, and its fence is lifted. */
function broughtBack(record: ServiceRecord, name: VersionName, now: Instant): ServiceRecord {
  const version = findVersion(record, name);
  if (version === undefined || version.state === 'Retired' || version.retirement !== undefined) return record;
  const { mark: _mark, teardown: _teardown, ...rest } = version;
  const clean = replaceVersion(record, rest);
  if (version.state !== 'Draining' && version.state !== 'Drained') return clean;
  return moveVersion(clean, { version: name, to: 'Standby', change: { now, reason: 'Wanted' } });
}

/** Walks an ended rollout again from its first step. Throws ForbiddenTransitionError. */
export function retryRollout(record: ServiceRecord, now: Instant): ServiceRecord {
  const { rollout, traffic } = record;
  if (rollout === undefined) throw new ForbiddenTransitionError(`${record.name} has had no rollout yet`);
  if (isOpen(rollout.state)) {
    throw new ForbiddenTransitionError(
      `${rollout.id} is ${rollout.state} and goes on; resume or promote it, or abort it first`,
    );
  }
  if (rollout.state === 'Succeeded') {
    throw new ForbiddenTransitionError(
      `${rollout.id} has Succeeded; deploy ${rollout.version} begins another`,
    );
  }
  if (traffic.kind === 'none' || traffic.primary === rollout.version) {
    throw new ForbiddenTransitionError(`${rollout.version} is already the primary of ${record.name}`);
  }
  const prepared = broughtBack(record, rollout.version, now);
  const deployed = hasRoom(prepared, rollout.version)
    ? deployVersion(prepared, rollout.version, { now, reason: 'Wanted' })
    : prepared;
  const {
    stepEverywhere: _e,
    rollFixedAt: _r,
    delegates: _d,
    movedBackAt: _m,
    endedAt: _a,
    fullyPromotedBy: _f,
    ...rest
  } = rollout;
  const again = inState(rest, {
    state: 'Progressing',
    stateReason: 'Deploying',
    because: 'walks again from its first step',
    now,
  });
  const walked: RolloutRecord = {
    ...again,
    baseline: traffic.primary,
    policy: policyOf(record.spec),
    attempt: rollout.attempt + 1,
    step: { kind: 'Deploy' },
    stepSince: now,
    promoted: [],
  };
  return { ...deployed, rollout: withShareByHand(deployed, walked, now) };
}
