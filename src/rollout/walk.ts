/**
 * What a rollout does next: stays where it is and why, enters its next step, or ends. Pure; a step that was entered is
 * recorded, so a controller that crashed plans on from there.
 */
import { after, type Milliseconds } from '../model/instant.ts';
import type { TenantName } from '../model/names.ts';
import {
  type DelegateCounts,
  isOpen,
  type RolloutRecord,
  type RolloutState,
  type RolloutStep,
  stepName,
} from '../model/rollout.ts';
import { findVersion, type ServiceRecord } from '../model/state.ts';
import { delegatesGate } from './delegates-gate.ts';
import { type Obstacle, obstacleTo, otherShift, wayBackProblems } from './forward.ts';
import { countReady, instancesAsked, type Observation } from './observation.ts';
import { followOfService } from './primary-service.ts';
import { isAfterFlip, isFlipped, isPromoted, movesTraffic, nextStep } from './steps.ts';
import { hasRoom, liveVersions } from './teardown.ts';

/** What comes next. */
export type Move =
  | ({ readonly kind: 'Stay' } & Obstacle)
  /** There is room for the candidate: its instances are started. */
  | { readonly kind: 'Deploy'; readonly because: string }
  /** Every connected proxy has what the step changed: its windows begin. */
  | { readonly kind: 'Everywhere'; readonly because: string; readonly mixedFor?: Milliseconds }
  | {
      readonly kind: 'Enter';
      readonly step: RolloutStep;
      readonly because: string;
      /** Tenants that are held on the baseline with it, since their delegates are missing. */
      readonly heldBack: readonly TenantName[];
      readonly delegates?: DelegateCounts;
    }
  | {
      readonly kind: 'End';
      readonly state: Extract<RolloutState, 'Succeeded' | 'Aborted' | 'RolledBack' | 'Failed'>;
      readonly reason: string;
      readonly because: string;
      /** The candidate was measured and found bad. */
      readonly isBad: boolean;
    };

/** A service with its open rollout, as it was observed. */
export interface Walker {
  readonly record: ServiceRecord;
  readonly rollout: RolloutRecord;
  readonly observed: Observation;
}

/** The walker of a record, where its rollout goes on. */
export function walkerOf(record: ServiceRecord, observed: Observation): Walker | undefined {
  const { rollout } = record;
  return rollout === undefined || !isOpen(rollout.state) ? undefined : { record, rollout, observed };
}

/** The next move of one rollout, as if it went alone. */
export function nextMove(walker: Walker): Move {
  return badCandidate(walker) ?? standStill(walker) ?? stepMove(walker);
}

/** A failed gate ends it at once, paused or not; an operator who has taken over decides for himself. */
function badCandidate(walker: Walker): Move | undefined {
  const { rollout, observed } = walker;
  const isForced = rollout.fullyPromotedBy !== undefined && !isAfterFlip(rollout.step);
  if (rollout.stateReason === 'OperatorOverride' || isForced) return undefined;
  const verdict = observed.rollout?.verdict;
  if (verdict?.state === 'Failed') return moveBack(walker, 'ChecksFailed', verdict.because, true);
  const hasShare = rollout.step.kind === 'Cohort' || rollout.step.kind === 'Shift';
  if (hasShare && !isAfterFlip(rollout.step) && countReady(observed.instances, rollout.version) === 0) {
    return moveBack(walker, 'NoReadyEndpoint', `${rollout.version} lost its last ready endpoint`, false);
  }
  return undefined;
}

/** The end that moves the default traffic back; after the flip it needs a way back (rule 2). */
export function moveBack(walker: Walker, reason: string, because: string, isBad: boolean): Move {
  if (!isFlipped(walker.record, walker.rollout)) {
    return { kind: 'End', state: 'Aborted', reason, because, isBad };
  }
  const problems = wayBackProblems(walker.record, walker.rollout, walker.observed);
  if (problems.length === 0) return { kind: 'End', state: 'RolledBack', reason, because, isBad };
  return {
    kind: 'Stay',
    state: 'Inconclusive',
    reason: 'NoWayBack',
    because: `${because}; but there is no way back: ${problems.join('; ')}`,
  };
}

function standStill({ rollout }: Walker): Move | undefined {
  const { state, stateReason: reason, because } = rollout;
  const isOrdered = reason === 'Operator' || reason === 'OperatorOverride';
  return state === 'Paused' && isOrdered ? { kind: 'Stay', state, reason, because } : undefined;
}

function stepMove(walker: Walker): Move {
  const { step } = walker.rollout;
  if (step.kind === 'Deploy') return deployMove(walker);
  if (walker.rollout.stepEverywhere === undefined) return untilEverywhere(walker);
  const shift = isAfterFlip(step) ? otherShift(walker) : undefined;
  if (shift !== undefined) return { kind: 'Stay', ...shift };
  if (step.kind === 'Shift' && step.weight === 100) return flippedMove(walker);
  if (step.kind === 'Soak') return soakMove(walker);
  if (step.kind === 'Register') return onward(walker, 'the delegates are there');
  return gateMove(walker);
}

function deployMove(walker: Walker): Move {
  const { record, rollout, observed } = walker;
  const candidate = findVersion(record, rollout.version);
  if (candidate === undefined || candidate.state === 'Retired') {
    if (hasRoom(record, rollout.version)) {
      return { kind: 'Deploy', because: `${rollout.version} is wanted` };
    }
    const live = liveVersions(record).map(({ name, state }) => `${name} (${state})`);
    const because = `${rollout.version} would be one more than retention.max ${record.spec.retention.max}; up are ${live.join(', ')}; it waits until one is retired (drain and retire take one away by hand)`;
    return { kind: 'Stay', state: 'Waiting', reason: 'RetentionMax', because };
  }
  if (candidate.retirement !== undefined) {
    const because = `${rollout.version} is being retired; it comes up again afterwards`;
    return { kind: 'Stay', state: 'Waiting', reason: 'Retiring', because };
  }
  const { ready, wanted } = countInstances(walker);
  const because = `${ready} of ${wanted} instances of ${rollout.version} ready`;
  const isUp = ['Registering', 'Standby', 'Ramping'].includes(candidate.state);
  if (ready >= wanted && wanted > 0 && isUp && !candidate.fenced) {
    return onward(walker, because);
  }
  const since = Math.max(candidate.since, rollout.stepSince);
  const deadline = since + rollout.policy.traffic.progressDeadline;
  if (ready < wanted && deadline <= observed.now) {
    const text = `${because} at the progress deadline${firstTrouble(walker)}`;
    return { kind: 'End', state: 'Failed', reason: 'ProgressDeadline', because: text, isBad: false };
  }
  return {
    kind: 'Stay',
    state: 'Progressing',
    reason: 'Deploying',
    because: `${because}${firstTrouble(walker)}`,
  };
}

function countInstances({ record, rollout, observed }: Walker): { ready: number; wanted: number } {
  const instances = observed.instances.filter(({ version }) => version === rollout.version);
  const wanted = Math.max(instancesAsked(record.spec.runtime), instances.length);
  return { ready: countReady(instances, rollout.version), wanted };
}

function firstTrouble({ rollout, observed }: Walker): string {
  const trouble = observed.instances.find(
    ({ version, state }) => version === rollout.version && (state === 'Failed' || state === 'Unready'),
  );
  return trouble === undefined ? '' : ` (${trouble.id}: ${trouble.reason})`;
}

/** A step begins to count when every connected proxy has its routes; a rejection holds it. */
function untilEverywhere({ rollout, observed }: Walker): Move {
  const shown = observed.rollout?.shown;
  const name = stepName(rollout.step);
  if (shown?.isEverywhere === true) {
    const { mixedFor = 0 } = shown;
    const mixed = mixedFor < 1 ? '' : `; old and new were mixed for ${Math.round(mixedFor)} ms`;
    return {
      kind: 'Everywhere',
      because: `every connected proxy has acknowledged ${name}${mixed}`,
      ...(shown.mixedFor === undefined ? {} : { mixedFor: shown.mixedFor }),
    };
  }
  const rejected = shown?.rejected ?? [];
  if (rejected.length > 0) {
    const because = `${name} is held: ${rejected.join('; ')}`;
    return { kind: 'Stay', state: 'Inconclusive', reason: 'ProxyRejected', because };
  }
  const behind = shown?.behind ?? [];
  const because = `${name} is not everywhere yet: ${behind.length === 0 ? 'not published' : behind.join(', ')}`;
  const deadline = after(rollout.stepSince, rollout.policy.traffic.progressDeadline);
  if (deadline <= observed.now)
    return { kind: 'Stay', state: 'Inconclusive', reason: 'ProxiesBehind', because };
  return { kind: 'Stay', state: 'Progressing', reason: 'ProxiesBehind', because };
}

/** After the flip clients without a proxy are led to the candidate too, before its soak begins. */
function flippedMove(walker: Walker): Move {
  const { kind, because } = followOfService(walker);
  if (kind === 'GoOn') return onward(walker, `every proxy has followed the flip${because}`);
  return { kind: 'Stay', state: 'Progressing', reason: 'PrimaryServiceBehind', because };
}

function gateMove(walker: Walker): Move {
  const { rollout, observed } = walker;
  const name = stepName(rollout.step);
  const verdict = observed.rollout?.verdict;
  if (isPromoted(rollout, name)) return onward(walker, `${name} was promoted by an operator`);
  if (verdict === undefined) return onward(walker, `no check guards ${name}`);
  if (verdict.state === 'Passed') return onward(walker, verdict.because);
  const undecided = undecidedReason(verdict.state);
  const begun = rollout.stepEverywhere ?? rollout.stepSince;
  const isLate = after(begun, rollout.policy.traffic.progressDeadline) <= observed.now;
  const isEnded = verdict.state === 'Error' || verdict.state === 'Inconclusive';
  const state = isEnded || isLate ? 'Inconclusive' : 'Progressing';
  return { kind: 'Stay', state, reason: undecided, because: verdict.because };
}

function undecidedReason(state: string): string {
  switch (state) {
    case 'Error':
      return 'CheckError';
    case 'Inconclusive':
      return 'CheckInconclusive';
    case 'NoData':
      return 'NoData';
    default:
      return 'Verifying';
  }
}

/** The soak ends well only with a passed verdict: no data is neither success nor a reason to go back. */
function soakMove(walker: Walker): Move {
  const { rollout, observed } = walker;
  const verdict = observed.rollout?.verdict;
  const { soak } = rollout.policy.verification ?? { soak: 0 };
  const ends = after(rollout.stepEverywhere ?? rollout.stepSince, soak);
  const succeeded = (because: string): Move => ({
    kind: 'End',
    state: 'Succeeded',
    reason: 'Soaked',
    because,
    isBad: false,
  });
  if (isPromoted(rollout, stepName(rollout.step))) return succeeded('the soak was ended by an operator');
  const isOver = ends <= observed.now;
  if (isOver && (verdict === undefined || verdict.state === 'Passed')) {
    return succeeded(verdict?.because ?? `${rollout.version} has soaked`);
  }
  const because = verdict?.because ?? `${rollout.version} soaks`;
  const isUndecided = verdict !== undefined && verdict.state !== 'Running' && verdict.state !== 'Passed';
  return isUndecided
    ? { kind: 'Stay', state: 'Inconclusive', reason: undecidedReason(verdict.state), because }
    : { kind: 'Stay', state: 'Progressing', reason: 'Soaking', because };
}

/** Into the next step, unless something is in the way; after the last step it has succeeded. */
function onward(walker: Walker, because: string): Move {
  const step = nextStep(walker.rollout);
  if (step === undefined) {
    return { kind: 'End', state: 'Succeeded', reason: 'Completed', because, isBad: false };
  }
  const obstacle = obstacleTo({ ...walker, step });
  if (obstacle !== undefined) return { kind: 'Stay', ...obstacle };
  const isAsked = walker.rollout.step.kind === 'Register' || movesTraffic(step);
  const gate = isAsked ? delegatesGate(walker) : undefined;
  switch (gate?.kind) {
    case undefined:
      return { kind: 'Enter', step, because, heldBack: [] };
    case 'Open': {
      const { heldBack, counts } = gate;
      const isGate = walker.rollout.step.kind === 'Register' || heldBack.length > 0;
      return {
        kind: 'Enter',
        step,
        because: isGate ? gate.because : because,
        heldBack,
        ...(counts === undefined ? {} : { delegates: counts }),
      };
    }
    case 'Stay':
      return gate;
    case 'End':
      return withoutDelegates(walker, gate.because);
  }
}

/** Before any traffic has moved nothing has to go back. */
function withoutDelegates(walker: Walker, because: string): Move {
  const { kind } = walker.rollout.step;
  if (kind !== 'Register' && kind !== 'Verify') return moveBack(walker, 'DelegatesMissing', because, false);
  return { kind: 'End', state: 'Failed', reason: 'DelegatesMissing', because, isBad: false };
}
