/** A namespace of a real API server that has the kinds of the store. */
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { type Objects, serverObjects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { installKinds } from './custom-resources.ts';
import { type TestNamespace, testNamespace } from './shared-cluster.ts';

let installed: Promise<void> | undefined;

export interface StateNamespace extends TestNamespace {
  readonly objects: Objects;
}

/** A new namespace of the shared cluster; where there is none, the running test ends as not run. */
export async function stateNamespace(): Promise<StateNamespace> {
  const place = await testNamespace();
  installed ??= installStateKinds(place);
  await installed;
  return { ...place, objects: serverObjects(place.api, place.namespace) };
}

/** Waits until both kinds are served. */
export async function installStateKinds(place: TestNamespace): Promise<void> {
  await installKinds(place, SERVICE_ROUTING, CONTROLLER_STATE);
}
