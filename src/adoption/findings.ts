/**
 * What would make an adoption lose requests, each with what would be right. What cannot be done is refused; what loses only in
 * some cases may be waived by its name, by somebody who knows better. Pure.
 */

import { labelsOf as labelsOfVersion } from '../adapters/kubernetes/labels.ts';
import { copiedTemplate } from '../adapters/kubernetes/runtime/template.ts';
import type { Json } from '../model/json.ts';
import type { ServiceName, VersionName } from '../model/names.ts';
import { autoscalingOf } from './autoscaling.ts';
import { type Chosen, labelsOf } from './choose.ts';
import { type Finding, when } from './finding.ts';
import { ofPolicies, ofTemplate } from './findings-of-pods.ts';
import type { Autoscaler, NetworkPolicy, Pod, Service } from './objects.ts';
import { isChosen, isMatched, type Labels } from './selectors.ts';

export interface Around {
  readonly services: readonly Service[];
  readonly pods: readonly Pod[];
  readonly autoscalers: readonly Autoscaler[];
  /** Undefined: they may not be read. */
  readonly policies: readonly NetworkPolicy[] | undefined;
}

interface Case {
  readonly chosen: Chosen;
  readonly around: Around;
  readonly oldLabels: Labels;
  readonly newLabels: Labels;
}

/** All findings, those that refuse first. */
export function findingsOf(
  chosen: Chosen,
  around: Around,
  { service, version }: { readonly service: ServiceName; readonly version: VersionName },
): readonly Finding[] {
  const { template } = copiedTemplate(chosen.deployment, {}, version);
  const { labels = {} } = template['metadata'] as { readonly labels?: Labels };
  const newLabels = { ...labels, ...labelsOfVersion(service, version) };
  const one: Case = { chosen, around, oldLabels: labelsOf(chosen.deployment), newLabels };
  const all = [
    ...ofService(one),
    ...ofOtherPods(one),
    ...ofDeployment(one),
    ...ofTemplate(chosen.deployment),
    ...ofAutoscaler(one),
    ...ofPolicies(around.policies, one),
  ];
  const order: readonly Finding['weight'][] = ['Refused', 'Lossy', 'Told'];
  return order.flatMap((weight) => all.filter((finding) => finding.weight === weight));
}

function ofService({ chosen: { service, port, deployment } }: Case): readonly Finding[] {
  const { metadata, spec } = service;
  const what = `service/${metadata.name}`;
  const others = (spec.ports ?? [])
    .filter((each) => each !== port)
    .map(({ name, port: number }) => name ?? number);
  return [
    ...when(
      spec.type === 'ExternalName',
      'ExternalName',
      'Refused',
      () => `${what} is a name for something else (ExternalName): adopt what that leads to`,
    ),
    ...when(
      spec.clusterIP === 'None',
      'HeadlessService',
      'Lossy',
      () =>
        `${what} is headless: its clients hold addresses of Pods, and keep those of the old ones. Give them a Service with an address first`,
    ),
    ...when(
      (port.protocol ?? 'TCP') !== 'TCP',
      'NotTcp',
      'Refused',
      () => `port ${port.name ?? port.port} of ${what} is ${port.protocol}: requests come by TCP`,
    ),
    ...when(
      others.length > 0,
      'OtherPorts',
      'Told',
      () => `${what} has other ports (${others.join(', ')}): they stay, and lead to the primary too`,
    ),
    ...when(
      spec.sessionAffinity === 'ClientIP',
      'SessionAffinity',
      'Told',
      () =>
        `${what} keeps a client on one Pod (sessionAffinity: ClientIP): all clients change their Pod once, when it moves, and at each flip`,
    ),
    ...appliers(service, ['f:spec', 'f:selector']).map(
      (manager): Finding => ({
        name: 'SelectorApplied',
        weight: 'Refused',
        message: `${manager} applies the selector of ${what}, and would put it back: take spec.selector out of what it applies, or have it ignored there`,
      }),
    ),
    ...appliers(deployment, ['f:spec', 'f:replicas']).map(
      (manager): Finding => ({
        name: 'ReplicasApplied',
        weight: 'Told',
        message: `${manager} applies the replicas of deployment/${deployment.metadata.name}: take them out there before --complete, or it starts the old Pods again`,
      }),
    ),
  ];
}

/** Who else reaches these Pods, and whom else the Service reaches. */
function ofOtherPods({ chosen: { service, deployment }, around, oldLabels }: Case): readonly Finding[] {
  const { selector } = service.spec;
  const others = around.pods.filter(
    ({ metadata: { labels = {} } }) =>
      isChosen(labels, selector) && !isMatched(labels, deployment.spec.selector),
  );
  const otherServices = around.services.filter(
    ({ metadata, spec }) => metadata.name !== service.metadata.name && isChosen(oldLabels, spec.selector),
  );
  return [
    ...when(
      others.length > 0,
      'OtherPods',
      'Lossy',
      () =>
        `service/${service.metadata.name} selects Pods that are not of deployment/${deployment.metadata.name} (${names(others)}): its clients would lose them`,
    ),
    ...when(
      otherServices.length > 0,
      'OtherServices',
      'Lossy',
      () =>
        `these select the old Pods too, and lead to nobody when those are gone: ${otherServices.map(({ metadata }) => `service/${metadata.name}`).join(', ')}. Move their clients to service/${service.metadata.name}`,
    ),
  ];
}

function ofDeployment({ chosen: { deployment } }: Case): readonly Finding[] {
  const { metadata, spec, status = {} } = deployment;
  const what = `deployment/${metadata.name}`;
  const { replicas = 1 } = spec;
  const { readyReplicas = 0, updatedReplicas = 0, replicas: all = 0, observedGeneration = 0 } = status;
  const isSettled =
    observedGeneration >= (metadata.generation ?? 0) && updatedReplicas === replicas && all === replicas;
  return [
    ...when(
      replicas === 0,
      'NoReplicas',
      'Refused',
      () => `${what} has 0 replicas: nothing serves that could be adopted`,
    ),
    ...when(
      replicas > 0 && !isSettled,
      'RollingOut',
      'Refused',
      () =>
        `${what} is being rolled out (${updatedReplicas} of ${replicas} Pods are new, ${all} in all): wait until it is done`,
    ),
    ...when(
      replicas > 0 && isSettled && readyReplicas < replicas,
      'NotReady',
      'Refused',
      () =>
        `${what} has ${readyReplicas} of ${replicas} Pods ready: what does not serve now would not serve as a version`,
    ),
    ...when(
      spec.strategy?.type === 'Recreate',
      'RecreateStrategy',
      'Lossy',
      () =>
        `${what} is rolled out by Recreate, so two of its releases may not run at once; as versions they do`,
    ),
  ];
}

function ofAutoscaler({ chosen: { deployment }, around }: Case): readonly Finding[] {
  const { name } = deployment.metadata;
  const found = around.autoscalers.find(
    ({ spec: { scaleTargetRef: target } }) => target.kind === 'Deployment' && target.name === name,
  );
  if (found === undefined) return [];
  const what = `HorizontalPodAutoscaler ${found.metadata.name}`;
  const autoscaling = autoscalingOf(found);
  const { replicas = 1 } = deployment.spec;
  return autoscaling === undefined
    ? [
        {
          name: 'Autoscaler',
          weight: 'Lossy',
          message: `${what} scales by more than the use of CPU, which spec.runtime.kubernetes.autoscaling cannot say: versions would stay at ${replicas} Pods. Write a HorizontalPodAutoscaler for the version's own Deployment`,
        },
      ]
    : [
        {
          name: 'Autoscaler',
          weight: 'Told',
          message: `${what} is not touched; each version gets one of its own: ${autoscaling.min} to ${autoscaling.max} Pods at ${autoscaling.cpuPercent} % CPU`,
        },
      ];
}

/** Programs that apply a field again and again, on the server's side. */
function appliers({ metadata }: Pick<Service, 'metadata'>, field: readonly string[]): readonly string[] {
  return (metadata.managedFields ?? [])
    .filter(({ operation, manager = '' }) => operation === 'Apply' && !manager.startsWith('switchyard'))
    .filter(({ fieldsV1 }) => has(fieldsV1, field))
    .map(({ manager = 'somebody' }) => manager);
}

function has(value: Json | undefined, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined || value === undefined || value === null) return value !== undefined;
  return has((value as { readonly [name: string]: Json })[key], rest);
}

function names(pods: readonly Pod[]): string {
  const [first, second, ...more] = pods.map(({ metadata }) => metadata.name);
  return [first, second].filter(Boolean).join(', ') + (more.length === 0 ? '' : ` and ${more.length} more`);
}
