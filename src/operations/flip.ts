/** flip and set-weight: who gets the default traffic. */
import type { Instant } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { freezeAt, isOpen, stepName } from '../model/rollout.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';
import { overridden } from '../rollout/override.ts';
import { nextStep } from '../rollout/steps.ts';
import { endShift, flipTo, shiftTo } from '../rollout/transition.ts';
import { type OperationContext, requireVersion } from './context.ts';
import { readyCount } from './readiness.ts';
import { sendTraffic } from './send-traffic.ts';
import { type ChangeOutcome, type FlipRequest, OperationError, type SetWeightRequest } from './types.ts';

/** Moves all default traffic to a version in one publication. Throws OperationError. */
export function flip(context: OperationContext, request: FlipRequest): Promise<ChangeOutcome> {
  return sendTraffic(context, request, {
    receiver: request.version,
    isWaived: request.waiveGates,
    action: 'Flip',
    reason: 'Flipped',
    change: (record, change) => {
      if (record.traffic.kind === 'steady' && record.traffic.primary === request.version) return record;
      requireReceiver(context, record, request);
      requireThawed(record, change.now);
      const what = `flip to ${request.version}`;
      const override = { by: request.caller.actor, what, now: change.now };
      return overridden(record, flipTo(record, request.version, change), override);
    },
    describe: (before) => `${before.name}: all default traffic to ${request.version}${fromPrimary(before)}`,
  });
}

/** Gives a version a share of the default traffic: 0 ends the shift, 100 is the flip. Throws OperationError. */
export async function setWeight(
  context: OperationContext,
  request: SetWeightRequest,
): Promise<ChangeOutcome> {
  const { weight, version } = request;
  if (!Number.isInteger(weight) || weight < 0 || weight > 100) {
    throw new OperationError('InvalidArgument', `weight: ${weight} must be a whole number from 0 to 100`);
  }
  if (weight === 100) return flip(context, request);
  return sendTraffic(context, request, {
    receiver: weight === 0 ? undefined : version,
    isWaived: request.waiveGates,
    action: 'SetWeight',
    reason: weight === 0 ? 'ShiftEnded' : 'Shifting',
    change: (record, change) => {
      requireVersion(record, version);
      const override = { by: request.caller.actor, what: `set-weight ${version} ${weight}`, now: change.now };
      if (weight === 0) return overridden(record, endShiftOf(record, version, change), override);
      if (isAt(record, version, weight)) return record;
      requireReceiver(context, record, request);
      if (gains(record, version, weight)) requireThawed(record, change.now);
      return overridden(record, shiftTo(record, { candidate: version, weight, change }), override);
    },
    describe: (before) =>
      `${before.name}: ${weight}% of default traffic to ${version}, the rest${fromPrimary(before).replace(' from', ' to')}`,
  });
}

function endShiftOf(
  record: ServiceRecord,
  version: VersionName,
  change: Parameters<typeof endShift>[1],
): ServiceRecord {
  const { traffic } = record;
  if (traffic.kind === 'steady' && traffic.primary === version) {
    throw new OperationError(
      'FailedPrecondition',
      `${version} is the primary of ${record.name}; flip to another version instead`,
    );
  }
  return traffic.kind === 'shifting' && traffic.candidate === version ? endShift(record, change) : record;
}

function isAt({ traffic }: ServiceRecord, version: VersionName, weight: number): boolean {
  return traffic.kind === 'shifting' && traffic.candidate === version && traffic.weight === weight;
}

/** Whether the version's share would grow. */
function gains({ traffic }: ServiceRecord, version: VersionName, weight: number): boolean {
  return traffic.kind !== 'shifting' || traffic.candidate !== version || weight > traffic.weight;
}

/** A freeze holds whoever moves traffic forward, by hand too; it never holds a way back. */
function requireThawed({ name, freeze: order }: ServiceRecord, now: Instant): void {
  const freeze = freezeAt(order, now);
  if (freeze === undefined) return;
  throw new OperationError(
    'FailedPrecondition',
    `${name} is frozen by ${freeze.by}: ${freeze.reason}; unfreeze it first (rollback, abort and hold always work)`,
  );
}

/** Rule 2: no default traffic to a version that is not up, is on its way out, or was found bad. */
function requireReceiver(
  context: OperationContext,
  record: ServiceRecord,
  request: FlipRequest & { readonly weight?: number },
): void {
  const version = requireVersion(record, request.version);
  if (version.retirement !== undefined) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is being retired and cannot take default traffic; deploy it again`,
    );
  }
  if (readyCount(context, record, version.name) === 0) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} has no ready endpoint (state ${version.state}); default traffic never goes there`,
    );
  }
  if (version.state === 'Deploying' || version.state === 'Registering') {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is still ${version.state}; wait until it is Standby`,
    );
  }
  requireVerified(record, version, request);
  if (version.mark !== undefined && !request.waiveGates) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is marked ${version.mark.kind} (${version.mark.reason}, by ${version.mark.by}); --waive-gates with a --reason lets it through`,
    );
  }
  if (request.waiveGates && request.caller.reason.trim() === '') {
    throw new OperationError('InvalidArgument', 'reason: waiving the gates needs a --reason');
  }
}

/**
 * Rule 2: where checks guard a version, it gets by hand no more than its rollout would give it next, until it has been
 * primary once. An approval that the rollout waits for is such a next step.
 */
function requireVerified(
  { name, spec, rollout }: ServiceRecord,
  version: VersionRecord,
  { waiveGates, ...request }: FlipRequest & { readonly weight?: number },
): void {
  if (spec.verification === undefined || version.lastPrimary !== undefined || waiveGates) return;
  const isCandidate = rollout?.version === version.name && isOpen(rollout.state);
  const next = isCandidate && rollout.stateReason === 'Approval' ? nextStep(rollout) : undefined;
  if (next?.kind === 'Shift' && (request.weight ?? 100) <= next.weight) return;
  const where = isCandidate ? `${rollout.id} is at ${stepName(rollout.step)}` : 'no rollout brings it up';
  throw new OperationError(
    'FailedPrecondition',
    `${version.name} has not passed the checks of ${name} (${where}); wait or promote, or let it through with --waive-gates and a --reason`,
  );
}

function fromPrimary({ traffic }: ServiceRecord): string {
  return traffic.kind === 'none' ? '' : ` from ${traffic.primary}`;
}
