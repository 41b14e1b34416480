/** The shape in which the roll of a rollout is kept. */
import type { Roll, RollRecord } from '../../model/parity.ts';
import { storedRolloutId } from './rollout.ts';
import { count, list, object, type Shape, tagged } from './shape.ts';
import { storedInstant, storedTenantName } from './simple.ts';
import { storedDelegateId } from './watchers.ts';

const roll: Shape<Roll> = tagged<Roll>({
  named: {
    fixedAt: storedInstant,
    boxes: list(object({ delegate: storedDelegateId, tenant: storedTenantName })),
  },
  counted: {
    fixedAt: storedInstant,
    tenants: list(object({ tenant: storedTenantName, count })),
  },
});

/** Reads a stored RollRecord. */
export const storedRoll: Shape<RollRecord> = object<RollRecord>({ rollout: storedRolloutId, roll });
