/** deploy: wants another version, as a changed `spec.version` in a document does, and so begins a rollout. */
import { isOpen } from '../model/rollout.ts';
import type { ServiceRecord } from '../model/state.ts';
import { startRollout } from '../rollout/start.ts';
import { ForbiddenTransitionError } from '../rollout/transition.ts';
import { UnchangeableDocumentError, withVersion } from '../spec/with-version.ts';
import { forbiddenChanges } from './apply-effects.ts';
import { parseDocuments } from './apply-parse.ts';
import { changeService, type OperationContext, requireService } from './context.ts';
import type { DeployRequest } from './rollout-types.ts';
import { type ChangeOutcome, OperationError } from './types.ts';

/** Begins the rollout of a version. Throws OperationError. */
export async function deploy(context: OperationContext, request: DeployRequest): Promise<ChangeOutcome> {
  const { version, urgent, caller } = request;
  if (urgent && caller.reason.trim() === '') {
    throw new OperationError(
      'InvalidArgument',
      'reason: an urgent rollout skips waits, and needs a --reason',
    );
  }
  const current = requireService(context.controller.ledger.records(), request.service);
  const document = changedDocument(current, version);
  const file = `${current.name} (as applied last)`;
  const [parsed] = parseDocuments(context, [{ file, text: document }]).services;
  return changeService(context, request, {
    action: 'Deploy',
    reason: 'Wanted',
    change: (record, { now }) => {
      if (record !== current) {
        throw new OperationError('Aborted', `${record.name} was changed meanwhile; try again`);
      }
      const spec = parsed?.spec ?? record.spec;
      const problem = forbiddenChanges(record, spec);
      if (problem !== undefined) throw new ForbiddenTransitionError(problem);
      if (isUnderWay(record, version)) return madeUrgent(record, urgent);
      const start = { by: caller.actor, reason: caller.reason, urgent, now, group: [record.name] };
      return startRollout({ ...record, spec, document, generation: record.generation + 1 }, start);
    },
    describe: (before, { name, rollout }) =>
      rollout === undefined || rollout.id === before.rollout?.id
        ? `${name}: ${version} is wanted`
        : `${name}: ${rollout.id} begins, from ${rollout.baseline} to ${version}`,
  });
}

function changedDocument({ document }: ServiceRecord, version: DeployRequest['version']): string {
  try {
    return withVersion(document, version);
  } catch (error) {
    if (error instanceof UnchangeableDocumentError)
      throw new OperationError('FailedPrecondition', error.message);
    throw error;
  }
}

/** A primary that is not wanted any more (the rollout of another was given up) is wanted again by its deploy. */
function isUnderWay({ rollout, traffic, spec }: ServiceRecord, version: DeployRequest['version']): boolean {
  const isWalked = rollout?.version === version && isOpen(rollout.state);
  const isThere = spec.version === version && traffic.kind === 'steady' && traffic.primary === version;
  return isWalked || (isThere && (rollout === undefined || !isOpen(rollout.state)));
}

function madeUrgent(record: ServiceRecord, urgent: boolean): ServiceRecord {
  const { rollout } = record;
  if (!urgent || rollout === undefined || rollout.urgent || !isOpen(rollout.state)) return record;
  return { ...record, rollout: { ...rollout, urgent } };
}
