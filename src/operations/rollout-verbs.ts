/**
 * The verbs on a rollout that goes on: pause, resume, promote, abort; and retry of one that ended. Where services move
 * together, a verb on one is a verb on all. Stopping and going back are never refused because of a freeze or a window.
 */

import { instancesOf } from '../controller/runtimes.ts';
import { isOpen, type RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { endRollout } from '../rollout/advance.ts';
import { wayBackProblems } from '../rollout/forward.ts';
import { paused, resumed } from '../rollout/override.ts';
import { promoted, waivesGate } from '../rollout/promote.ts';
import { retryRollout } from '../rollout/start.ts';
import { isFlipped, movesTraffic } from '../rollout/steps.ts';
import { ForbiddenTransitionError } from '../rollout/transition.ts';
import { changeService, type OperationContext, requireService } from './context.ts';
import { impactOfLeaving } from './impact.ts';
import type { PromoteRequest } from './rollout-types.ts';
import { sendTraffic } from './send-traffic.ts';
import { type ChangeOutcome, type ChangeRequest, OperationError } from './types.ts';

/** Stops the walk where it is; a gate that fails still moves the traffic back. Throws OperationError. */
export function pause(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  return changeService(context, request, {
    action: 'Pause',
    reason: 'Operator',
    members: 'Open',
    change: (record, { now }) => {
      const rollout = requireOpen(record);
      const because = `paused by ${actor}${reason === '' ? '' : `: ${reason}`}`;
      const standing = paused(rollout, because, now);
      return standing === rollout ? record : { ...record, rollout: standing };
    },
    describe: (_before, { name, rollout }) => `${name}: ${rollout?.id} is paused at ${placeOf(rollout)}`,
  });
}

/** Goes on: after a pause where it stood, after an undecided gate with that gate judged afresh. Throws OperationError. */
export function resume(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  return changeService(context, request, {
    action: 'Resume',
    reason: 'Resumed',
    members: 'Open',
    change: (record, { now }) => {
      const rollout = requireOpen(record);
      if (rollout.state === 'Paused' && rollout.stateReason === 'Approval') {
        throw new ForbiddenTransitionError(
          `${rollout.id} waits for an approval: promote gives it, abort ends the rollout`,
        );
      }
      if (rollout.state !== 'Paused' && rollout.state !== 'Inconclusive') return record;
      const going = resumed(record, request.caller.actor, now);
      return going === undefined ? record : { ...record, rollout: going };
    },
    describe: (_before, { name, rollout }) => `${name}: ${rollout?.id} goes on at ${placeOf(rollout)}`,
  });
}

/** Goes on past a pause, an approval or an undecided gate; `full`: past all that are left. Throws OperationError. */
export function promote(context: OperationContext, request: PromoteRequest): Promise<ChangeOutcome> {
  const { actor, reason } = request.caller;
  return changeService(context, request, {
    action: request.full ? 'PromoteFull' : 'Promote',
    reason: 'Promoted',
    members: 'Open',
    change: (record, { now }) => {
      const rollout = requireOpen(record);
      if (waivesGate(rollout, request.full) && reason.trim() === '') {
        throw new OperationError(
          'InvalidArgument',
          'reason: promote past a gate that has not passed waives it, and needs a --reason',
        );
      }
      return { ...record, rollout: promoted(rollout, { by: actor, reason, full: request.full, now }) };
    },
    describe: (before, { name, rollout }) =>
      rollout?.promoted.length === before.rollout?.promoted.length && !request.full
        ? `${name}: ${rollout?.id} goes on at ${placeOf(rollout)}`
        : `${name}: ${rollout?.id} is promoted past ${placeOf(before.rollout)}${request.full ? ', and on to 100 percent' : ''}`,
  });
}

/** Ends the rollout with the default traffic where it came from, in one flip. Throws OperationError. */
export async function abort(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  const { controller } = context;
  const record = requireService(controller.ledger.records(), request.service);
  const rollout = requireOpenOrRefuse(record);
  const impact = await impactOfLeaving(context, record, rollout.version);
  const { actor, reason } = request.caller;
  const outcome = await sendTraffic(context, request, {
    receiver: isFlipped(record, rollout) ? rollout.baseline : undefined,
    isWaived: false,
    action: 'Abort',
    reason: 'Aborted',
    members: 'Open',
    change: (current, { now }) => {
      const open = requireOpen(current);
      const wasPrimary = isFlipped(current, open);
      if (wasPrimary) requireWayBack(context, current, open);
      const because = `aborted by ${actor}${reason === '' ? '' : `: ${reason}`}`;
      const state = wasPrimary ? 'RolledBack' : 'Aborted';
      return endRollout(current, { state, reason: 'Operator', because, isBad: false, now });
    },
    describe: (_before, { name, rollout: ended, traffic }) =>
      `${name}: ${ended?.id} is ${ended?.state}; default traffic goes to ${traffic.kind === 'none' ? 'nobody' : traffic.primary}`,
  });
  return { ...outcome, impact };
}

/** Walks an ended rollout again, judged afresh. Throws OperationError. */
export function retry(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  return changeService(context, request, {
    action: 'Retry',
    reason: 'Retried',
    members: 'Ended',
    change: (record, { now }) => retryRollout(record, now),
    describe: (_before, { name, rollout }) =>
      `${name}: ${rollout?.id} begins again, attempt ${rollout?.attempt}`,
  });
}

/** The rollout that goes on. Throws ForbiddenTransitionError where none does. */
function requireOpen({ name, rollout }: ServiceRecord): RolloutRecord {
  if (rollout === undefined) {
    throw new ForbiddenTransitionError(`${name} has no rollout; deploy a version begins one`);
  }
  if (!isOpen(rollout.state)) {
    throw new ForbiddenTransitionError(
      `${rollout.id} is ${rollout.state} (${rollout.because}); retry walks it again, deploy begins another`,
    );
  }
  return rollout;
}

function requireOpenOrRefuse(record: ServiceRecord): RolloutRecord {
  try {
    return requireOpen(record);
  } catch (error) {
    throw error instanceof ForbiddenTransitionError
      ? new OperationError('FailedPrecondition', error.message)
      : error;
  }
}

function requireWayBack(
  { controller }: OperationContext,
  record: ServiceRecord,
  rollout: RolloutRecord,
): void {
  const instances = instancesOf(controller.options.runtimes, record);
  // A fence is lifted by whoever sends the traffic; the rest is in the way.
  const problems = wayBackProblems(record, rollout, { instances }).filter((text) => !text.includes('fenced'));
  if (problems.length === 0) return;
  throw new ForbiddenTransitionError(
    `${rollout.id} cannot go back to ${rollout.baseline}: ${problems.join('; ')}`,
  );
}

function placeOf(rollout: RolloutRecord | undefined): string {
  if (rollout === undefined) return '';
  const { step } = rollout;
  return movesTraffic(step) && step.kind === 'Shift' ? `${step.weight} %` : step.kind;
}
