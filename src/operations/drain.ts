/** drain: fences a version. Its open work goes on; it takes no new work (rule 8). */
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';
import { giveUpPrevious, moveVersion, replaceVersion } from '../rollout/transition.ts';
import { changeService, type OperationContext, requireService, requireVersion } from './context.ts';
import { impactOfTeardown } from './impact.ts';
import { type ChangeOutcome, type DrainRequest, OperationError } from './types.ts';

/** Fences a version; the loop tells its instances and counts. Throws OperationError. */
export async function drain(context: OperationContext, request: DrainRequest): Promise<ChangeOutcome> {
  const current = requireService(context.controller.ledger.records(), request.service);
  const impact = await impactOfTeardown(context, current, requireVersion(current, request.version).name);
  const outcome = await changeService(context, request, {
    action: 'Drain',
    reason: 'Fenced',
    change: (record, change) => {
      const version = requireVersion(record, request.version);
      if (version.state === 'Draining' || version.state === 'Drained')
        return fencedAtOnce(record, version, request);
      requireNotCandidate(record, version);
      requireOffTraffic(record, version, request.giveUpRollback);
      requireNoHolds(record, version);
      const draining = moveVersion(record, { version: version.name, to: 'Draining', change });
      const waived = fencedAtOnce(draining, requireVersion(draining, version.name), request);
      return giveUpPrevious(waived, version.name);
    },
    describe: (before) => `${before.name}: ${request.version} takes no new work; its open work goes on`,
  });
  return { ...outcome, impact };
}

/** Throws where the version is what a rollout is bringing up. */
export function requireNotCandidate({ rollout }: ServiceRecord, version: VersionRecord): void {
  if (rollout === undefined || rollout.version !== version.name || !isOpen(rollout.state)) return;
  throw new OperationError(
    'FailedPrecondition',
    `${version.name} is the candidate of ${rollout.id}, which is ${rollout.state}; abort that first`,
  );
}

/** An operator's order not to wait for proxies that may still send the version default traffic. */
function fencedAtOnce(record: ServiceRecord, version: VersionRecord, request: DrainRequest): ServiceRecord {
  if (!request.waiveStragglers || version.fenceAtOnce === true) return record;
  if (request.caller.reason.trim() === '') {
    throw new OperationError('InvalidArgument', 'reason: a waiver needs a --reason');
  }
  return replaceVersion(record, { ...version, fenceAtOnce: true });
}

/** Throws unless the version gets no default traffic and nobody relies on it as the way back. */
export function requireOffTraffic(
  record: ServiceRecord,
  version: VersionRecord,
  giveUpRollback: boolean,
): void {
  const { traffic } = record;
  if (traffic.kind === 'none') return;
  if (traffic.primary === version.name) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is the primary of ${record.name}; flip to another version first`,
    );
  }
  if (traffic.kind === 'shifting' && traffic.candidate === version.name) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} gets ${traffic.weight}% of the default traffic of ${record.name}; set its weight to 0 first`,
    );
  }
  if (traffic.previous === version.name && !giveUpRollback) {
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is the previous primary of ${record.name}, the target of a rollback; --give-up-rollback takes it away all the same`,
    );
  }
}

/** A tenant cannot be held on a version that takes no new work. */
function requireNoHolds(record: ServiceRecord, version: VersionRecord): void {
  const held = record.holds.filter((hold) => hold.version === version.name);
  if (held.length > 0) {
    throw new OperationError(
      'FailedPrecondition',
      `${held.length} tenant(s) are held on ${version.name}: ${held.map(({ tenant }) => tenant).join(', ')}; release them first`,
    );
  }
}
