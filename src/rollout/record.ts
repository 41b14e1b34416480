/** Applies the plan's recording actions to a record: pure, so that a crash between plan and commit loses nothing. */
import type { NewAuditEvent } from '../model/audit.ts';
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import type { RollRecord } from '../model/parity.ts';
import { findVersion, type ServiceRecord, type VersionRecord } from '../model/state.ts';
import { endRollout, enterStep, holdRollout, markEverywhere, withRollFixed } from './advance.ts';
import type { RecordingAction } from './plan.ts';
import { withGap, withGapEnded } from './primary-service.ts';
import { firstRetirementStep } from './teardown.ts';
import {
  deployVersion,
  endShift,
  flipTo,
  giveUpPrevious,
  moveVersion,
  replaceVersion,
  withoutFence,
} from './transition.ts';

/** What a commit is made of. */
export interface Applied {
  readonly record: ServiceRecord;
  readonly events: readonly NewAuditEvent[];
  /** Rolls that were fixed; they are kept apart from the record. */
  readonly rolls: readonly RollRecord[];
}

/** The record after all actions, one generation up, with an event for each decision. */
export function applyActions(input: {
  readonly record: ServiceRecord;
  readonly actions: readonly RecordingAction[];
  readonly now: Instant;
}): Applied {
  let record = input.record;
  const events: NewAuditEvent[] = [];
  for (const action of input.actions) {
    const next = applyAction(record, action, input.now);
    if (isTold(record, action)) events.push(eventOf({ before: record, after: next, action, now: input.now }));
    record = next;
  }
  const { rollout } = input.record;
  const rolls = input.actions.flatMap((action) =>
    action.kind === 'FixRoll' && rollout !== undefined ? [{ rollout: rollout.id, roll: action.roll }] : [],
  );
  return { record: { ...record, generation: input.record.generation + 1 }, events, rolls };
}

/** How far a step has come is no decision: it stands in the record, and only a stop, its end or a lack of data is told. */
function isTold({ rollout }: ServiceRecord, action: RecordingAction): boolean {
  if (action.kind === 'BeginGap') return false;
  if (action.kind !== 'HoldRollout' || action.state !== 'Progressing') return true;
  return rollout?.state !== 'Progressing' || action.reason === 'NoData';
}

function applyAction(record: ServiceRecord, action: RecordingAction, now: Instant): ServiceRecord {
  switch (action.kind) {
    case 'AddVersion':
      return deployVersion(record, action.version, { now, reason: 'Listed' });
    case 'MoveVersion':
      return withoutFinishedRetirement(
        moveVersion(record, {
          version: action.version,
          to: action.to,
          change: { now, reason: action.reason },
          ...(action.certificate && { certificate: action.certificate }),
        }),
        action,
      );
    case 'FirstPrimary':
      return flipTo(record, action.version, { now, reason: 'FirstVersion' });
    case 'EndShift':
      return endShift(record, { now, reason: 'NoReadyEndpoint' });
    case 'ReleaseHold':
      return { ...record, holds: record.holds.filter(({ tenant }) => tenant !== action.tenant) };
    case 'EndFreeze': {
      const { freeze: _over, ...rest } = record;
      return rest;
    }
    case 'ForgetFence':
      return withoutFence(record, action.version);
    case 'TearDown':
      return tornDown(record, action.version, { since: now, because: action.because });
    case 'BeginRetirement':
      return patchVersion(record, action.version, {
        retirement: { step: firstRetirementStep(record), since: now, waiveStragglers: false },
      });
    case 'DeployCandidate':
      return deployVersion(record, action.version, { now, reason: 'Wanted' });
    case 'HoldRollout':
      return holdRollout(record, { ...action, now });
    case 'StepEverywhere':
      return markEverywhere(record, { ...action, now });
    case 'FixRoll':
      return withRollFixed(record, now);
    case 'BeginGap':
      return withGap(record, action.gap);
    case 'EndGap':
      return withGapEnded(record, now);
    case 'EnterStep':
      return enterStep(record, { ...action, now });
    case 'EndRollout':
      return endRollout(record, { ...action, now });
    case 'AdvanceRetirement': {
      const waiveStragglers = findVersion(record, action.version)?.retirement?.waiveStragglers ?? false;
      return patchVersion(record, action.version, {
        retirement: { step: action.to, since: now, waiveStragglers },
      });
    }
  }
}

function tornDown(
  record: ServiceRecord,
  name: VersionName,
  teardown: NonNullable<VersionRecord['teardown']>,
): ServiceRecord {
  const version = findVersion(record, name);
  const isFenced = version?.state === 'Draining' || version?.state === 'Drained';
  const change = { now: teardown.since, reason: 'TornDown' };
  const fenced = isFenced ? record : moveVersion(record, { version: name, to: 'Draining', change });
  return patchVersion(giveUpPrevious(fenced, name), name, { teardown });
}

function patchVersion(
  record: ServiceRecord,
  name: VersionName,
  patch: Partial<Pick<VersionRecord, 'retirement' | 'teardown'>>,
): ServiceRecord {
  const version = findVersion(record, name);
  return version === undefined ? record : replaceVersion(record, { ...version, ...patch });
}

function withoutFinishedRetirement(record: ServiceRecord, action: RecordingAction): ServiceRecord {
  if (action.kind !== 'MoveVersion' || action.to !== 'Retired') return record;
  const version = findVersion(record, action.version);
  if (version === undefined) return record;
  const { retirement: _done, teardown: _tornDown, ...rest } = version;
  return replaceVersion(record, { ...rest, fenced: false });
}

function eventOf(input: {
  readonly before: ServiceRecord;
  readonly after: ServiceRecord;
  readonly action: RecordingAction;
  readonly now: Instant;
}): NewAuditEvent {
  return {
    at: input.now,
    actor: 'controller',
    action: eventName(input.action),
    service: input.before.name,
    reason: input.action.because,
    message: `${input.before.name}: ${input.action.because}`,
    ...changedPart(input.before, input.after),
  };
}

/** The ends and stops of a rollout have names of their own, so that a receiver of events can ask for them. */
function eventName(action: RecordingAction): string {
  if (action.kind === 'EndRollout' || action.kind === 'HoldRollout') return `Rollout${action.state}`;
  return action.kind;
}

const PARTS = [
  'traffic',
  'versions',
  'holds',
  'document',
  'rollout',
  'freeze',
  'delegates',
  'artifacts',
] as const;

/** The parts of a record that a change touched, as JSON, for the audit trail. */
export function changedPart(
  before: ServiceRecord | undefined,
  after: ServiceRecord | undefined,
): { before: string; after: string } {
  const differing = PARTS.filter((key) => JSON.stringify(before?.[key]) !== JSON.stringify(after?.[key]));
  const pick = (record: ServiceRecord | undefined): string =>
    record === undefined
      ? ''
      : JSON.stringify(Object.fromEntries(differing.map((key) => [key, shown(record, key)])));
  return { before: pick(before), after: pick(after) };
}

/**
 * A rollout without its policy, which would stand in every event and is kept with the rollout itself; goal states without
 * those that are past.
 */
function shown(record: ServiceRecord, key: (typeof PARTS)[number]): unknown {
  if (key === 'delegates' && record.delegates !== undefined) {
    const { current, waves, decommissions } = record.delegates;
    return { current, waves: waves.map(({ waves: _policy, ...rest }) => rest), decommissions };
  }
  if (key !== 'rollout' || record.rollout === undefined) return record[key];
  const { policy: _same, ...rest } = record.rollout;
  return rest;
}
