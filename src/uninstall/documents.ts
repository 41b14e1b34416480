/** The services as documents, to be applied where Switchyard is installed again: each wants the version that is primary. Pure. */
import type { ServicePlan } from './plan.ts';

export function documentsOf(plans: readonly ServicePlan[]): object {
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: plans.map(({ object, primary }) => ({
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'VersionedService',
      metadata: { name: object.metadata.name },
      spec: { ...(object.spec as object), ...(primary === undefined ? {} : { version: primary }) },
    })),
  };
}
