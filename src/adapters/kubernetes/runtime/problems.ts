/** What is wrong with a service that no instance shows, in sentences for an operator. Pure. */
import type { ServiceName, VersionName } from '../../../model/names.ts';
import { isOurs, versionOf } from '../labels.ts';
import { objectName } from '../names.ts';
import type { Autoscaler, Deployment, Pod, Service } from './objects.ts';
import { conditionOf, podTrouble, said } from './pods.ts';
import { podLabels } from './template.ts';

export interface Surroundings {
  readonly service: ServiceName;
  readonly deployments: readonly Deployment[];
  readonly pods: readonly Pod[];
  /** Ids of instances: what is wrong with them stands there. */
  readonly shown: ReadonlySet<string>;
  /** Services and autoscalers of the namespace that are not ours. */
  readonly otherServices: readonly Service[];
  readonly otherAutoscalers: readonly Autoscaler[];
}

export function problemsOf(around: Surroundings): readonly string[] {
  const { deployments, pods } = around;
  const versions = [...new Set([...deployments, ...pods].flatMap((one) => versionOf(one) ?? []))].toSorted();
  return versions.flatMap((version) => ofVersion(around, version));
}

function ofVersion(around: Surroundings, version: VersionName): readonly string[] {
  const isOfVersion = (object: Deployment | Pod): boolean => versionOf(object) === version;
  const deployment = around.deployments.find(isOfVersion);
  return [
    ...(deployment === undefined ? [] : ofDeployment(deployment, version)),
    ...ofPods(around.pods.filter(isOfVersion), around.shown, version),
    ...(deployment === undefined ? [] : ofOtherServices(around, deployment, version)),
    ...(deployment === undefined ? [] : ofOtherAutoscalers(around, version)),
  ];
}

/** What the Deployment's controller could not do: a quota, an admission, a deadline. */
function ofDeployment({ metadata, status }: Deployment, version: VersionName): readonly string[] {
  return (status?.conditions ?? []).flatMap(({ type, status: is, reason, message }) => {
    const isBad =
      (type === 'ReplicaFailure' && is === 'True') ||
      (type === 'Progressing' && is === 'False' && reason === 'ProgressDeadlineExceeded');
    return isBad ? [`${version}: Deployment ${metadata.name}: ${said(reason, message)}`] : [];
  });
}

/** Pods without an address are in no EndpointSlice. Those with the same trouble are named together. */
function ofPods(pods: readonly Pod[], shown: ReadonlySet<string>, version: VersionName): readonly string[] {
  const byTrouble = new Map<string, string[]>();
  for (const pod of pods) {
    const trouble = shown.has(pod.metadata.name) || hasEnded(pod) ? '' : podTrouble(pod);
    if (trouble === '') continue;
    byTrouble.set(trouble, [...(byTrouble.get(trouble) ?? []), pod.metadata.name].toSorted());
  }
  return [...byTrouble].map(([trouble, [first = '', ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    return `${version}: Pod ${first}${more}: ${trouble}`;
  });
}

/** One that is told to end, or was thrown out and has been replaced, is nobody's trouble. */
function hasEnded(pod: Pod): boolean {
  return (
    pod.metadata.deletionTimestamp !== undefined || conditionOf(pod, 'DisruptionTarget')?.status === 'True'
  );
}

/** A Service that selects by labels of the template sends its clients to versions that have passed no gate. */
function ofOtherServices(
  { otherServices }: Surroundings,
  { spec }: Deployment,
  version: VersionName,
): readonly string[] {
  const labels = podLabels(spec.template);
  return otherServices
    .filter((other) => !isOurs(other))
    .filter(({ spec: { selector = {} } = {} }) => {
      const wanted = Object.entries(selector);
      return wanted.length > 0 && wanted.every(([name, value]) => labels[name] === value);
    })
    .map(
      ({ metadata: { name } }) =>
        `${version}: Service ${name} selects its Pods by their labels, so clients of it reach ${version} whatever is primary: select by other labels, or take these out of the Pod template`,
    );
}

/** Whether an autoscaler that is not ours scales the version: then the number of its Pods is not ours either. */
export function scaledByAnother(
  autoscalers: readonly Autoscaler[],
  service: ServiceName,
  version: VersionName,
): Autoscaler | undefined {
  const name = objectName(service, version);
  return autoscalers.find(
    ({ metadata, spec: { scaleTargetRef: target } }) =>
      metadata.name !== name && target.kind === 'Deployment' && target.name === name,
  );
}

function ofOtherAutoscalers(
  { service, otherAutoscalers }: Surroundings,
  version: VersionName,
): readonly string[] {
  const other = scaledByAnother(otherAutoscalers, service, version);
  return other === undefined
    ? []
    : [
        `${version}: HorizontalPodAutoscaler ${other.metadata.name} scales its Deployment, which is left to it: delete it and write spec.runtime.kubernetes.autoscaling instead`,
      ];
}
