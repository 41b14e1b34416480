/** hold and release: an operator's order that a tenant stays on a version, with a reason and an expiry. */
import { after } from '../model/instant.ts';
import { type Hold, isActive, MAX_HOLDS } from '../model/state.ts';
import { changeService, type OperationContext, requireVersion } from './context.ts';
import { requireDuration } from './duration.ts';
import { type ChangeOutcome, type HoldRequest, OperationError, type ReleaseRequest } from './types.ts';

/** Keeps a tenant's default traffic on a version until the hold expires or is released. Throws OperationError. */
export async function hold(context: OperationContext, request: HoldRequest): Promise<ChangeOutcome> {
  if (request.caller.reason.trim() === '')
    throw new OperationError('InvalidArgument', 'reason: a hold needs a --reason');
  requireDuration(request.duration);
  return changeService(context, request, {
    action: 'Hold',
    reason: 'Held',
    change: (record, { now }) => {
      if (record.spec.tenantKey === undefined) {
        throw new OperationError(
          'FailedPrecondition',
          `${record.name} has no spec.tenantKey, so its tenants cannot be told apart`,
        );
      }
      const version = requireVersion(record, request.version);
      if (
        !isActive(version.state) ||
        version.state === 'Draining' ||
        version.state === 'Drained' ||
        version.retirement !== undefined
      ) {
        throw new OperationError(
          'FailedPrecondition',
          `${version.name} is ${version.state}; tenants can be held on a version that takes new work`,
        );
      }
      const others = record.holds.filter(({ tenant }) => tenant !== request.tenant);
      if (others.length >= MAX_HOLDS) {
        throw new OperationError(
          'FailedPrecondition',
          `${record.name} has ${others.length} holds, the most there can be; release some`,
        );
      }
      const order: Hold = {
        tenant: request.tenant,
        version: version.name,
        reason: request.caller.reason,
        by: request.caller.actor,
        since: now,
        expires: after(now, request.duration),
      };
      return { ...record, holds: [...others, order] };
    },
    describe: (before) => `${before.name}: tenant ${request.tenant} stays on ${request.version}`,
  });
}

/** Ends a hold; the tenant follows the default traffic again. Throws OperationError NotFound. */
export function release(context: OperationContext, request: ReleaseRequest): Promise<ChangeOutcome> {
  return changeService(context, request, {
    action: 'Release',
    reason: 'Released',
    change: (record) => {
      const holds = record.holds.filter(({ tenant }) => tenant !== request.tenant);
      if (holds.length === record.holds.length) {
        throw new OperationError(
          'NotFound',
          `tenant ${request.tenant} is not held on any version of ${record.name}`,
        );
      }
      return { ...record, holds };
    },
    describe: (before) => `${before.name}: tenant ${request.tenant} follows the default traffic again`,
  });
}
