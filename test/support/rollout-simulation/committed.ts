/** What the rules of a simulated rollout are told of each change. */
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Observation } from '../../../src/rollout/observation.ts';
import type { PlanAction } from '../../../src/rollout/plan.ts';

/** One change of the record, with who made it and what the world was. */
export interface Committed {
  readonly before: ServiceRecord;
  readonly after: ServiceRecord;
  readonly by: 'controller' | 'operator';
  readonly actions: readonly PlanAction[];
  readonly observed: Observation;
}
