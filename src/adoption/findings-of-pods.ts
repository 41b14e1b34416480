/** What of a Pod template, and of those who know its Pods by their labels, would lose requests. Pure. */
import type { Json } from '../model/json.ts';
import { type Finding, when } from './finding.ts';
import type { Deployment, NetworkPolicy } from './objects.ts';
import { isMatched, type Labels, type Selector, selectorText } from './selectors.ts';

/** Of the template that versions are made of. */
export function ofTemplate(deployment: Deployment): readonly Finding[] {
  const pod = mapping(deployment.spec.template['spec']);
  const containers = list(pod['containers']);
  const unprobed = containers.filter((container) => container['readinessProbe'] === undefined);
  const claims = list(pod['volumes']).filter((volume) => volume['persistentVolumeClaim'] !== undefined);
  const hostPorts = containers
    .flatMap(({ ports }) => list(ports))
    .filter(({ hostPort }) => hostPort !== undefined);
  const nameOf = ({ name }: Mapping): string => (typeof name === 'string' ? name : '');
  return [
    ...when(
      unprobed.length === containers.length,
      'NoReadinessProbe',
      'Lossy',
      () =>
        `no container (${unprobed.map(nameOf).join(', ')}) has a readinessProbe: a Pod gets requests as soon as it runs, also where it cannot serve yet`,
    ),
    ...when(
      claims.length > 0,
      'PersistentVolumes',
      'Lossy',
      () =>
        `its Pods mount volumes (${claims.map(nameOf).join(', ')}) that both the old and the new Pods would use at once`,
    ),
    ...when(
      hostPorts.length > 0 || pod['hostNetwork'] === true,
      'HostPorts',
      'Lossy',
      () =>
        'its Pods take ports of their nodes: new Pods find no place beside the old ones, unless there are more nodes',
    ),
  ];
}

export interface Relabelled {
  readonly oldLabels: Labels;
  readonly newLabels: Labels;
}

/** Of policies; undefined where they may not be read. The labels by which the Deployment selects its Pods are not those of the version's Pods. */
export function ofPolicies(
  policies: readonly NetworkPolicy[] | undefined,
  { oldLabels, newLabels }: Relabelled,
): readonly Finding[] {
  if (policies === undefined) {
    return [
      {
        name: 'NetworkPolicies',
        weight: 'Lossy',
        message:
          'NetworkPolicies may not be read: one that knows the Pods by their labels would not know the new ones',
      },
    ];
  }
  const differs = (selector: Selector | undefined): boolean =>
    selector !== undefined && isMatched(oldLabels, selector) && !isMatched(newLabels, selector);
  const touched = policies.filter(({ spec = {} }) => {
    const peers = [
      ...(spec.ingress ?? []).flatMap(({ from = [] }) => from),
      ...(spec.egress ?? []).flatMap(({ to = [] }) => to),
    ];
    return differs(spec.podSelector) || peers.some(({ podSelector }) => differs(podSelector));
  });
  const lost = Object.fromEntries(
    Object.entries(oldLabels).filter(([name]) => newLabels[name] === undefined),
  );
  return when(
    touched.length > 0,
    'NetworkPolicies',
    'Lossy',
    () =>
      `NetworkPolicy ${touched.map(({ metadata }) => metadata.name).join(', ')} knows the Pods by ${selectorText(lost)}, which the version's Pods do not have: select by switchyard.dev/service, or by another label of the template, too`,
  );
}

type Mapping = { readonly [name: string]: Json };

function mapping(value: Json | undefined): Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

function list(value: Json | undefined): readonly Mapping[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(mapping) : [];
}
