/**
 * What keeps traffic from moving forward: freeze, windows, durations, approvals, a candidate that is not ready, a way
 * back that is not. None of these is ever asked before traffic moves back.
 */
import { after, isoTime } from '../model/instant.ts';
import { freezeAt, type RolloutRecord, type RolloutStep, stepName } from '../model/rollout.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import { isWindowOpen, nextOpening } from '../model/windows.ts';
import { countReady, type Observation } from './observation.ts';
import { isPromoted, movesTraffic, needsApproval } from './steps.ts';

/** Why a rollout does not take its next step now. */
export interface Obstacle {
  readonly state: 'Waiting' | 'Progressing' | 'Paused' | 'Inconclusive';
  readonly reason: string;
  readonly because: string;
}

/** The first thing in the way of `step`; undefined where nothing is. */
export function obstacleTo(input: {
  readonly record: ServiceRecord;
  readonly rollout: RolloutRecord;
  readonly observed: Observation;
  readonly step: RolloutStep;
}): Obstacle | undefined {
  const { rollout, step } = input;
  if (!movesTraffic(step)) return undefined;
  const isUrgent = rollout.urgent || rollout.fullyPromotedBy !== undefined;
  return (
    otherShift(input) ??
    freeze(input) ??
    (isUrgent ? undefined : (duration(input) ?? closedWindow(input))) ??
    unreadyCandidate(input) ??
    (needsApproval(rollout, step) ? approval(rollout, step) : undefined) ??
    (isPromoted(rollout, stepName(step)) ? undefined : missingWayBack(input))
  );
}

type Input = Parameters<typeof obstacleTo>[0];

/** Somebody shares the traffic out to another version by hand: two shifts at once there cannot be. */
export function otherShift({
  record: { name, traffic },
  rollout,
}: Pick<Input, 'record' | 'rollout'>): Obstacle | undefined {
  if (traffic.kind !== 'shifting' || traffic.candidate === rollout.version) return undefined;
  const because = `${traffic.candidate} gets ${traffic.weight} % of ${name} by hand; end that first: set its weight to 0`;
  return { state: 'Inconclusive', reason: 'OtherShift', because };
}

function freeze({ record, observed }: Input): Obstacle | undefined {
  const order = freezeAt(record.freeze, observed.now);
  if (order === undefined) return undefined;
  const until = order.until === undefined ? 'until unfreeze' : `until ${isoTime(order.until)}`;
  return {
    state: 'Waiting',
    reason: 'Frozen',
    because: `${record.name} is frozen ${until} by ${order.by}: ${order.reason}`,
  };
}

function duration({ rollout, observed }: Input): Obstacle | undefined {
  const { stepDuration } = rollout.policy.traffic;
  if (!movesTraffic(rollout.step) || stepDuration === 0) return undefined;
  const ends = after(rollout.stepEverywhere ?? rollout.stepSince, stepDuration);
  if (ends <= observed.now) return undefined;
  return {
    state: 'Progressing',
    reason: 'StepDuration',
    because: `${stepName(rollout.step)} lasts until ${isoTime(ends)}`,
  };
}

function closedWindow({ rollout, observed }: Input): Obstacle | undefined {
  const { windows } = rollout.policy.traffic;
  if (isWindowOpen(windows, observed.now)) return undefined;
  const opens = nextOpening(windows, observed.now);
  const when = opens === undefined ? '' : `; the next one opens at ${isoTime(opens)}`;
  return {
    state: 'Waiting',
    reason: 'WindowClosed',
    because: `outside of the maintenance windows${when}`,
  };
}

/** Rule 2: no default traffic to a version without a ready endpoint, and none to one that refuses new work. */
function unreadyCandidate({ record, rollout, observed }: Input): Obstacle | undefined {
  const candidate = findVersion(record, rollout.version);
  if (countReady(observed.instances, rollout.version) === 0) {
    return {
      state: 'Waiting',
      reason: 'NoReadyEndpoint',
      because: `${rollout.version} has no ready endpoint`,
    };
  }
  if (candidate?.fenced !== true) return undefined;
  return { state: 'Waiting', reason: 'Fenced', because: `${rollout.version} is still fenced` };
}

function approval(rollout: RolloutRecord, step: RolloutStep): Obstacle {
  const what = step.kind === 'Shift' ? `${step.weight} % to ${rollout.version}` : `the cohort`;
  return {
    state: 'Paused',
    reason: 'Approval',
    because: `${what} waits for an operator: promote, or abort`,
  };
}

/** The rehearsal: before the flip the way back must stand (previous up, unfenced, warm). */
function missingWayBack({ record, rollout, observed, step }: Input): Obstacle | undefined {
  if (step.kind !== 'Shift' || step.weight !== 100) return undefined;
  const problems = wayBackProblems(record, rollout, observed);
  if (problems.length === 0) return undefined;
  return {
    state: 'Inconclusive',
    reason: 'WayBackNotReady',
    because: `after the flip there would be no way back: ${problems.join('; ')}; promote flips all the same`,
  };
}

/** What is in the way of moving the default traffic back to the baseline; empty where it could be done now. */
export function wayBackProblems(
  record: ServiceRecord,
  { baseline }: Pick<RolloutRecord, 'baseline'>,
  { instances }: Pick<Observation, 'instances'>,
): readonly string[] {
  const version = findVersion(record, baseline);
  if (version === undefined || version.state === 'Retired') return [`${baseline} is gone`];
  return [
    ...(countReady(instances, baseline) === 0 ? [`${baseline} has no ready endpoint`] : []),
    ...(version.fenced ? [`${baseline} is fenced (${version.state})`] : []),
    ...(version.retirement === undefined ? [] : [`${baseline} is being retired`]),
  ];
}
