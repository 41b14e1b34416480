/** The kinds of Kubernetes that we read or write. */
import type { Kind } from './objects.ts';

export const LEASE: Kind = namespaced('coordination.k8s.io', 'v1', 'Lease', 'leases');
export const DEPLOYMENT: Kind = namespaced('apps', 'v1', 'Deployment', 'deployments');
export const CONTROLLER_REVISION: Kind = namespaced(
  'apps',
  'v1',
  'ControllerRevision',
  'controllerrevisions',
);
export const DISRUPTION_BUDGET: Kind = namespaced(
  'policy',
  'v1',
  'PodDisruptionBudget',
  'poddisruptionbudgets',
);
export const AUTOSCALER: Kind = namespaced(
  'autoscaling',
  'v2',
  'HorizontalPodAutoscaler',
  'horizontalpodautoscalers',
);
export const SERVICE: Kind = namespaced('', 'v1', 'Service', 'services');
export const POD: Kind = namespaced('', 'v1', 'Pod', 'pods');
export const CONFIG_MAP: Kind = namespaced('', 'v1', 'ConfigMap', 'configmaps');
export const SECRET: Kind = namespaced('', 'v1', 'Secret', 'secrets');
export const ENDPOINT_SLICE: Kind = namespaced('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices');
export const INGRESS: Kind = namespaced('networking.k8s.io', 'v1', 'Ingress', 'ingresses');
export const NETWORK_POLICY: Kind = namespaced('networking.k8s.io', 'v1', 'NetworkPolicy', 'networkpolicies');
export const CUSTOM_RESOURCE_DEFINITION: Kind = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
};
export const NAMESPACE: Kind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
};

function namespaced(group: string, version: string, kind: string, plural: string): Kind {
  return { group, version, kind, plural, scope: 'Namespaced' };
}
