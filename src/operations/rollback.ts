/** rollback: the default traffic back to where it came from, in one flip, without warm-up (rule 9). */
import type { VersionName } from '../model/names.ts';
import type { ServiceRecord, Traffic } from '../model/state.ts';
import { movedBack } from '../rollout/override.ts';
import { rollBack } from '../rollout/transition.ts';
import { type OperationContext, requireService, requireVersion } from './context.ts';
import { impactOfLeaving } from './impact.ts';
import { readyCount } from './readiness.ts';
import { sendTraffic } from './send-traffic.ts';
import { type ChangeOutcome, OperationError, type RollbackRequest } from './types.ts';

/** Moves all default traffic back. Throws OperationError, FailedPrecondition where there is no way back. */
export async function rollback(context: OperationContext, request: RollbackRequest): Promise<ChangeOutcome> {
  const current = requireService(context.controller.ledger.records(), request.service);
  const { traffic } = current;
  const impact = traffic.kind === 'none' ? [] : await impactOfLeaving(context, current, leaving(traffic));
  const outcome = await sendTraffic(context, request, {
    receiver: request.to ?? (traffic.kind === 'steady' ? traffic.previous : undefined),
    isWaived: false,
    action: 'Rollback',
    reason: 'RolledBack',
    members: 'All',
    change: (record, change) => {
      if (record.name !== request.service && !hasCandidatesTraffic(record)) return record;
      if (request.to !== undefined) requireVersion(record, request.to);
      const rolledBack = rollBack(record, request.to, change);
      requireWayBack(context, record, rolledBack);
      const override = { by: request.caller.actor, what: 'rollback', now: change.now };
      return movedBack(record, rolledBack, override);
    },
    describe: (before, after) => `${before.name}: all default traffic back to ${primaryOf(after)}`,
  });
  return { ...outcome, impact };
}

/** Whether a service of the same group still has traffic on its candidate, which goes back with the others. */
function hasCandidatesTraffic({ traffic, rollout }: ServiceRecord): boolean {
  if (rollout === undefined || traffic.kind === 'none') return false;
  if (traffic.kind === 'shifting' && traffic.candidate === rollout.version) return true;
  return traffic.primary === rollout.version && traffic.previous !== undefined;
}

/** The version that loses its share. */
function leaving(traffic: Exclude<Traffic, { kind: 'none' }>): VersionName {
  return traffic.kind === 'shifting' ? traffic.candidate : traffic.primary;
}

function requireWayBack(context: OperationContext, before: ServiceRecord, after: ServiceRecord): void {
  if (after.traffic.kind === 'none' || before.traffic.kind === 'none') return;
  const target = after.traffic.primary;
  // Ending a shift leaves the primary where it is, ready or not: it already has its share.
  if (target === before.traffic.primary) return;
  const version = requireVersion(before, target);
  if (version.retirement !== undefined) {
    throw new OperationError(
      'FailedPrecondition',
      `${target} is being retired; it cannot take the traffic back`,
    );
  }
  if (readyCount(context, before, target) === 0) {
    throw new OperationError(
      'FailedPrecondition',
      `${target} has no ready endpoint (state ${version.state}); default traffic never goes there`,
    );
  }
}

function primaryOf({ traffic }: ServiceRecord): string {
  return traffic.kind === 'none' ? 'nobody' : traffic.primary;
}
