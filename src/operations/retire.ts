/**
 * retire: takes a drained version's routes, cluster and instances away, in that order (rule 8). It counts the open
 * work once more at the moment of the order; unknown is not zero.
 */
import type { ServiceRecord, VersionRecord } from '../model/state.ts';
import type { WorkCount } from '../ports/work-source.ts';
import { firstRetirementStep } from '../rollout/teardown.ts';
import { giveUpPrevious, moveVersion, replaceVersion } from '../rollout/transition.ts';
import { changeService, type OperationContext, requireService, requireVersion } from './context.ts';
import { requireNotCandidate, requireOffTraffic } from './drain.ts';
import { impactOfTeardown } from './impact.ts';
import { countOpenWork } from './open-work.ts';
import { type ChangeOutcome, OperationError, type RetireRequest } from './types.ts';

/** Begins the retirement; the loop goes on with it as proxies acknowledge. Throws OperationError. */
export async function retire(context: OperationContext, request: RetireRequest): Promise<ChangeOutcome> {
  const record = requireService(context.controller.ledger.records(), request.service);
  const version = requireVersion(record, request.version);
  requireNotCandidate(record, version);
  requireOffTraffic(record, version, request.giveUpRollback);
  const work = await countOpenWork(context, record, version);
  if (!request.waiveOpenWork) requireNoWork(record, version, work);
  if ((request.waiveOpenWork || request.waiveStragglers) && request.caller.reason.trim() === '') {
    throw new OperationError('InvalidArgument', 'reason: a waiver needs a --reason');
  }
  const impact = await impactOfTeardown(context, record, version.name);
  const outcome = await changeService(context, request, {
    action: 'Retire',
    reason: request.waiveOpenWork ? 'OpenWorkWaived' : 'Fenced',
    change: (current, change) => {
      const candidate = requireVersion(current, version.name);
      requireOffTraffic(current, candidate, request.giveUpRollback);
      if (candidate.retirement !== undefined) return withWaiver(current, candidate, request);
      if (!request.waiveOpenWork) requireFenced(current, candidate);
      const fenced = isFenced(candidate)
        ? current
        : moveVersion(current, { version: candidate.name, to: 'Draining', change });
      const retirement = {
        step: firstRetirementStep(current),
        since: change.now,
        waiveStragglers: request.waiveStragglers,
      } as const;
      const retiring = replaceVersion(fenced, { ...requireVersion(fenced, candidate.name), retirement });
      return giveUpPrevious(retiring, candidate.name);
    },
    describe: (before) =>
      `${before.name}: ${request.version} is being retired: routes, then cluster, then instances (${certificateOf(work)})`,
  });
  return { ...outcome, impact };
}

/** What the retirement rests on: a count in one transaction with the fence, or an observation behind it. */
function certificateOf(work: WorkCount): string {
  if (work.kind === 'unknown') return `certificate: none, the open work is not known: ${work.reason}`;
  const state = work.total === 0 ? work.certificate : 'none, open work was waived';
  return `certificate: ${state}, ${work.total} open as of ${new Date(work.asOf).toISOString()}`;
}

function requireNoWork(record: ServiceRecord, version: VersionRecord, work: WorkCount): void {
  if (work.kind === 'unknown') {
    throw new OperationError(
      'FailedPrecondition',
      `the open work of ${version.name} is not known (${work.reason}), and unknown is not zero; --waive-open-work with a --reason retires it all the same`,
    );
  }
  if (work.total > 0) {
    const next = isFenced(version)
      ? 'it is draining; wait until the work has ended, or waive it with --waive-open-work and a --reason'
      : `fence it first: switchyard drain ${record.name} ${version.name}`;
    throw new OperationError('FailedPrecondition', `${version.name} has ${work.total} open: ${next}`, {
      openWork: work.open,
    });
  }
}

function requireFenced(record: ServiceRecord, version: VersionRecord): void {
  if (version.state === 'Drained') return;
  const next = isFenced(version)
    ? 'the controller has not counted it to zero behind the fence yet; try again in a moment'
    : `new work can still arrive; fence it first: switchyard drain ${record.name} ${version.name}`;
  throw new OperationError('FailedPrecondition', `${version.name} is ${version.state}, not Drained: ${next}`);
}

function isFenced({ state }: VersionRecord): boolean {
  return state === 'Draining' || state === 'Drained';
}

function withWaiver(record: ServiceRecord, version: VersionRecord, request: RetireRequest): ServiceRecord {
  const { retirement } = version;
  if (retirement === undefined || !request.waiveStragglers || retirement.waiveStragglers) return record;
  return replaceVersion(record, { ...version, retirement: { ...retirement, waiveStragglers: true } });
}
