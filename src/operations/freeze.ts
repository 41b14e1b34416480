/** freeze and unfreeze: an operator's order that default traffic does not move forward. Going back is never frozen. */
import { after } from '../model/instant.ts';
import type { Freeze } from '../model/rollout.ts';
import { changeService, type OperationContext } from './context.ts';
import { requireDuration } from './duration.ts';
import type { FreezeRequest } from './rollout-types.ts';
import { type ChangeOutcome, type ChangeRequest, OperationError } from './types.ts';

/** Stops default traffic from moving forward, for a time or until `unfreeze`. Throws OperationError. */
export async function freeze(context: OperationContext, request: FreezeRequest): Promise<ChangeOutcome> {
  const { caller, duration } = request;
  if (caller.reason.trim() === '') {
    throw new OperationError('InvalidArgument', 'reason: a freeze needs a --reason');
  }
  if (duration !== undefined) requireDuration(duration);
  return changeService(context, request, {
    action: 'Freeze',
    reason: 'Frozen',
    change: (record, { now }) => {
      const order: Freeze = {
        reason: caller.reason,
        by: caller.actor,
        since: now,
        ...(duration === undefined ? {} : { until: after(now, duration) }),
      };
      return { ...record, freeze: order };
    },
    describe: (_before, { name, freeze: order }) =>
      `${name}: frozen ${order?.until === undefined ? 'until unfreeze' : `until ${new Date(order.until).toISOString()}`}`,
  });
}

/** Ends a freeze. */
export function unfreeze(context: OperationContext, request: ChangeRequest): Promise<ChangeOutcome> {
  return changeService(context, request, {
    action: 'Unfreeze',
    reason: 'Thawed',
    change: (record) => {
      if (record.freeze === undefined) return record;
      const { freeze: _over, ...rest } = record;
      return rest;
    },
    describe: ({ name }) => `${name}: default traffic may move forward again`,
  });
}
