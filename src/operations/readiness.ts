/** How many endpoints of a version could take a request now. */
import { instancesOf } from '../controller/runtimes.ts';
import type { VersionName } from '../model/names.ts';
import type { ServiceRecord } from '../model/state.ts';
import { countReady } from '../rollout/observation.ts';
import type { OperationContext } from './context.ts';

/** The ready endpoints of a version. */
export function readyCount(
  { controller }: OperationContext,
  record: ServiceRecord,
  name: VersionName,
): number {
  return countReady(instancesOf(controller.options.runtimes, record), name);
}
