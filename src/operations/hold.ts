/** hold and release: an operator's order that a tenant stays on a version, with a reason and an expiry. */
import { after, isoTime } from '../model/instant.ts';
import { MAX_HOLDS } from '../model/limits.ts';
import { type Hold, isActive, type ServiceRecord } from '../model/state.ts';
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
        throw new OperationError('FailedPrecondition', tooMany(record));
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

function tooMany({ name, holds }: ServiceRecord): string {
  const [first] = holds.toSorted((one, other) => one.expires - other.expires);
  const ends =
    first === undefined ? '' : `; the first of them, of ${first.tenant}, ends at ${isoTime(first.expires)}`;
  return `${name} has ${holds.length} holds, and ${MAX_HOLDS} is the most: release some${ends}`;
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
