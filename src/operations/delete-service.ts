/** delete: the only way to drop a primary (rule 7). Routes go first; instances stop when the proxies have followed. */
import { changedPart } from '../rollout/record.ts';
import { checkGeneration, type OperationContext, requireActor, requireService } from './context.ts';
import type { ChangeOutcome, DeleteServiceRequest } from './types.ts';

/** Deletes a service with all its versions. Throws OperationError. */
export async function deleteService(
  context: OperationContext,
  request: DeleteServiceRequest,
): Promise<ChangeOutcome> {
  const { controller } = context;
  requireActor(request);
  const { record, message } = await controller.ledger.change((records) => {
    const found = requireService(records, request.service);
    checkGeneration(found, request.expectedGeneration);
    const text = `${found.name}: deleted with ${found.versions.filter(({ state }) => state !== 'Retired').length} version(s)`;
    if (request.dryRun) return { result: { record: found, message: text } };
    const event = {
      at: controller.options.clock.now(),
      actor: request.caller.actor,
      action: 'DeleteService',
      service: found.name,
      reason: request.caller.reason,
      message: text,
      ...changedPart(found, undefined),
    };
    return {
      commit: { deletions: [{ name: found.name, generation: found.generation }], events: [event] },
      result: { record: found, message: text },
    };
  });
  if (request.dryRun) return { service: record, message, publication: 0, impact: [] };
  const publication = controller.publish();
  controller.forgetWhenUnrouted(record, publication);
  return { service: record, message, publication, impact: [] };
}
