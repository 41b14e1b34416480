/**
 * A change that sends default traffic to a version. Where that version is fenced its instances are told first to take
 * new work again, and the change is made only when all have confirmed (rule 8); else clients would be refused by the
 * version that they are sent to.
 */
import { instancesOf, whoAnswers } from '../controller/runtimes.ts';
import type { VersionName } from '../model/names.ts';
import { findVersion } from '../model/state.ts';
import { withoutFence } from '../rollout/transition.ts';
import { changeService, type OperationContext, requireService, type Verb } from './context.ts';
import { type ChangeOutcome, type ChangeRequest, OperationError } from './types.ts';

/** How long the instances may take to confirm. */
const LIFT_TIMEOUT_MS = 5_000;

/** A verb with the version that is to get traffic; none where the traffic goes back to the primary. */
export type TrafficVerb = Verb & {
  readonly receiver: VersionName | undefined;
  /** An operator's word that the traffic may go there although the fence is not lifted everywhere. */
  readonly isWaived: boolean;
};

/** Makes the change; a dry run tells no instance anything. Throws OperationError, naming who did not confirm. */
export async function sendTraffic(
  context: OperationContext,
  request: ChangeRequest,
  verb: TrafficVerb,
): Promise<ChangeOutcome> {
  const { controller } = context;
  const record = requireService(controller.ledger.records(), request.service);
  const version = verb.receiver === undefined ? undefined : findVersion(record, verb.receiver);
  const hasFence = version?.fenced === true && record.spec.drain.source.kind !== 'none';
  if (version === undefined || !hasFence || request.dryRun) return changeService(context, request, verb);
  // What would be refused anyway is refused before anybody is told.
  await changeService(context, { ...request, dryRun: true }, verb);
  const resume = await controller.activities.suspend(record.name, version.name);
  try {
    const outcome = await controller.options.workSource.lift({
      source: record.spec.drain.source,
      service: record.name,
      version: version.name,
      ...whoAnswers(instancesOf(controller.options.runtimes, record), version.name),
      signal: AbortSignal.timeout(LIFT_TIMEOUT_MS),
    });
    if (outcome.kind === 'confirmed') {
      return await changeService(context, request, {
        ...verb,
        change: (current, change) => withoutFence(verb.change(current, change), version.name),
      });
    }
    if (verb.isWaived) return await changeService(context, request, verb);
    throw new OperationError(
      'FailedPrecondition',
      `${version.name} is fenced, and not every instance takes new work again: ${outcome.reasons.join('; ')}; flip with --waive-gates and a --reason sends it traffic all the same`,
    );
  } finally {
    resume();
    controller.wake(record.name);
  }
}
