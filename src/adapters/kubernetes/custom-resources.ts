/** The kinds of our own (manifests/kubernetes/crds). */
import type { Kind } from './client/objects.ts';

/** What a user wishes for a service. The controller writes its status only. */
export const VERSIONED_SERVICE: Kind = ours('VersionedService', 'versionedservices');
/** A rollout, for people to look at: nothing is read from it. */
export const ROLLOUT: Kind = ours('Rollout', 'rollouts');
/** What is recorded of a service: one object of its name, written by the leader only. */
export const SERVICE_ROUTING: Kind = ours('ServiceRouting', 'serviceroutings');
/** What the leader keeps beside the records: counters, proxies, watchers, rolls. */
export const CONTROLLER_STATE: Kind = ours('ControllerState', 'controllerstates');

/** On everything that we make. */
export const MANAGED_BY: Readonly<Record<string, string>> = { 'app.kubernetes.io/managed-by': 'switchyard' };
/** On what belongs to a service. */
export const SERVICE_LABEL = 'switchyard.dev/service';

function ours(kind: string, plural: string): Kind {
  return { group: 'switchyard.dev', version: 'v1alpha1', kind, plural, scope: 'Namespaced' };
}
