/**
 * The changes that a service record may undergo, as pure functions: record in, record out. Operations and the plan
 * use them, so the table of allowed version states holds whoever asks.
 */
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import {
  type DrainCertificate,
  findVersion,
  type ServiceRecord,
  type Traffic,
  type VersionRecord,
  type VersionState,
} from '../model/state.ts';

/** Which states may follow each state (docs/states.md draws this). */
export const ALLOWED_TRANSITIONS: Readonly<Record<VersionState, readonly VersionState[]>> = {
  Deploying: ['Registering', 'Standby', 'Draining'],
  Registering: ['Standby', 'Draining'],
  Standby: ['Ramping', 'Primary', 'Draining'],
  Ramping: ['Primary', 'Standby'],
  Primary: ['Standby'],
  Draining: ['Drained', 'Standby', 'Ramping', 'Primary', 'Retired'],
  Drained: ['Draining', 'Standby', 'Ramping', 'Primary', 'Retired'],
  Retired: ['Deploying'],
};

/** A change that the rules forbid; the message is for the operator. */
export class ForbiddenTransitionError extends Error {
  override readonly name = 'ForbiddenTransitionError';
}

/** What each change is told. */
export interface Change {
  readonly now: Instant;
  /** Machine-readable, CamelCase. */
  readonly reason: string;
}

/** The record with one version in another state. Throws ForbiddenTransitionError. */
export function moveVersion(
  record: ServiceRecord,
  move: {
    readonly version: VersionName;
    readonly to: VersionState;
    readonly change: Change;
    /** What a move to Drained rests on. */
    readonly certificate?: DrainCertificate;
  },
): ServiceRecord {
  const current = findVersion(record, move.version);
  if (current === undefined)
    throw new ForbiddenTransitionError(`${record.name} has no version ${move.version}`);
  if (current.state === move.to) return record;
  if (!ALLOWED_TRANSITIONS[current.state].includes(move.to)) {
    throw new ForbiddenTransitionError(
      `${record.name} ${move.version} is ${current.state} and cannot become ${move.to}; it can become ${ALLOWED_TRANSITIONS[current.state].join(', ')}`,
    );
  }
  const { certificate: _ofBefore, ...rest } = current;
  return replaceVersion(record, {
    ...rest,
    state: move.to,
    reason: move.change.reason,
    since: move.change.now,
    fenced: current.fenced || move.to === 'Draining',
    ...(move.certificate && { certificate: move.certificate }),
  });
}

/** The record with a version added, or brought back after it was retired, as Deploying. */
export function deployVersion(record: ServiceRecord, version: VersionName, change: Change): ServiceRecord {
  const fresh: VersionRecord = {
    name: version,
    state: 'Deploying',
    reason: change.reason,
    since: change.now,
    fenced: false,
  };
  const existing = findVersion(record, version);
  if (existing === undefined) return { ...record, versions: [...record.versions, fresh] };
  return existing.state === 'Retired' ? replaceVersion(record, fresh) : record;
}

/** All default traffic to `version` in one step; the old primary becomes the previous one. */
export function flipTo(record: ServiceRecord, version: VersionName, change: Change): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind !== 'none' && traffic.primary === version) return endShift(record, change);
  const previous = traffic.kind === 'none' ? undefined : traffic.primary;
  let next = moveVersion(withoutCandidate(record, version, change), { version, to: 'Primary', change });
  next = withLastPrimary(next, version, change.now);
  if (previous !== undefined)
    next = moveVersion(next, { version: previous, to: 'Standby', change: { ...change, reason: 'Previous' } });
  return withTraffic(next, {
    kind: 'steady',
    primary: version,
    ...(previous === undefined ? {} : { previous }),
  });
}

/** A share of the default traffic to `candidate`, 1 to 99 percent. The salt lives as long as the shift. */
export function shiftTo(
  record: ServiceRecord,
  shift: { readonly candidate: VersionName; readonly weight: number; readonly change: Change },
): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind === 'none') {
    throw new ForbiddenTransitionError(`${record.name} has no primary to share traffic with yet`);
  }
  if (traffic.primary === shift.candidate) {
    throw new ForbiddenTransitionError(
      `${shift.candidate} is the primary of ${record.name}; name the version that should gain traffic`,
    );
  }
  if (traffic.kind === 'shifting' && traffic.candidate !== shift.candidate) {
    throw new ForbiddenTransitionError(
      `${record.name} is shifting to ${traffic.candidate} (${traffic.weight}%); end that first: rollback, or set its weight to 0`,
    );
  }
  const salt =
    traffic.kind === 'shifting' ? traffic.salt : `${record.name}-${shift.candidate}-${record.generation}`;
  return withTraffic(moveVersion(record, { version: shift.candidate, to: 'Ramping', change: shift.change }), {
    kind: 'shifting',
    primary: traffic.primary,
    ...previousOf(traffic),
    candidate: shift.candidate,
    weight: shift.weight,
    salt,
  });
}

/** All default traffic back to the primary; without a shift the record stays as it is. */
export function endShift(record: ServiceRecord, change: Change): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind !== 'shifting') return record;
  return withTraffic(moveVersion(record, { version: traffic.candidate, to: 'Standby', change }), {
    kind: 'steady',
    primary: traffic.primary,
    ...previousOf(traffic),
  });
}

/**
 * The way back: during a shift to the primary, else to `to`, else to the previous primary. Afterwards there is no
 * previous, so a second rollback is refused. Throws ForbiddenTransitionError.
 */
export function rollBack(record: ServiceRecord, to: VersionName | undefined, change: Change): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind === 'none')
    throw new ForbiddenTransitionError(`${record.name} has no primary yet; there is nothing to roll back`);
  if (traffic.kind === 'shifting' && (to === undefined || to === traffic.primary))
    return endShift(record, change);
  const target = to ?? (traffic.kind === 'steady' ? traffic.previous : undefined);
  if (target === undefined) {
    throw new ForbiddenTransitionError(
      `${record.name} has no previous version: ${traffic.primary} was the first, or was itself reached by a rollback; name one that is up with --to`,
    );
  }
  if (target === traffic.primary)
    throw new ForbiddenTransitionError(`${target} is already the primary of ${record.name}`);
  const flipped = flipTo(record, target, change);
  return withTraffic(flipped, { kind: 'steady', primary: target });
}

/** The record with the version taking new work again: every instance has confirmed it. */
export function withoutFence(record: ServiceRecord, name: VersionName): ServiceRecord {
  const version = findVersion(record, name);
  return version === undefined
    ? record
    : replaceVersion(record, { ...version, fenced: false, fenceAtOnce: false });
}

/** The record without `version` as the way back; afterwards a rollback is refused. */
export function giveUpPrevious(record: ServiceRecord, version: VersionName): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind === 'none' || traffic.previous !== version) return record;
  const { previous: _givenUp, ...rest } = traffic;
  return withTraffic(record, rest);
}

/** The record with the version replaced by name. */
export function replaceVersion(record: ServiceRecord, version: VersionRecord): ServiceRecord {
  return {
    ...record,
    versions: record.versions.map((other) => (other.name === version.name ? version : other)),
  };
}

function withLastPrimary(record: ServiceRecord, name: VersionName, lastPrimary: Instant): ServiceRecord {
  const version = findVersion(record, name);
  return version === undefined ? record : replaceVersion(record, { ...version, lastPrimary });
}

function withTraffic(record: ServiceRecord, traffic: Traffic): ServiceRecord {
  return { ...record, traffic };
}

function previousOf(traffic: Traffic): { previous?: VersionName } {
  return traffic.kind === 'none' || traffic.previous === undefined ? {} : { previous: traffic.previous };
}

/** A shift to another version ends when one is flipped to. */
function withoutCandidate(record: ServiceRecord, flippedTo: VersionName, change: Change): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind !== 'shifting' || traffic.candidate === flippedTo) return record;
  return moveVersion(record, {
    version: traffic.candidate,
    to: 'Standby',
    change: { ...change, reason: 'Superseded' },
  });
}
