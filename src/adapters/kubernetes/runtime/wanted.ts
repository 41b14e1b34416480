/** The objects of one version as they should be: a pure function of what it was made of and what the spec says today. */
import { createHash } from 'node:crypto';
import type { Json } from '../../../model/json.ts';
import type { KubernetesRuntimeSpec } from '../../../model/kubernetes.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import * as kinds from '../client/kinds.ts';
import { apiVersionOf, type Kind, type KubernetesObject, type OwnerReference } from '../client/objects.ts';
import { labelsOf, REVISION, selectorOf, versionOf } from '../labels.ts';
import { objectName } from '../names.ts';
import type { Mapping, Revision } from './objects.ts';
import { type Made, podLabels } from './template.ts';

/** Whose objects, and where. */
export interface VersionPlace {
  readonly namespace: string;
  readonly service: ServiceName;
  readonly version: VersionName;
  /** The VersionedService; with it Kubernetes removes everything that it owns. Absent: nobody is known. */
  readonly owner: OwnerReference | undefined;
}

export interface WantedObject {
  readonly kind: Kind;
  readonly object: KubernetesObject & Mapping;
}

/** What the spec says today. */
export interface WantedNumbers
  extends Pick<KubernetesRuntimeSpec, 'replicas' | 'autoscaling' | 'maxUnavailable'> {
  /** An autoscaler that is not ours has the number of its Pods. */
  readonly isScaledByAnother: boolean;
}

/** The name of the one port of our Services. */
export const PORT_NAME = 'requests';
/** The port of a Service whose target is a name. */
const NAMED_PORT = 80;

/** The Service, Deployment, budget and, where asked, autoscaler of a version, in the order in which they are made. */
export function wantedObjects(place: VersionPlace, made: Made, spec: WantedNumbers): readonly WantedObject[] {
  return [
    ofVersion(place, kinds.SERVICE, { spec: serviceSpec(place, made.port, made.port) }),
    ofVersion(place, kinds.DEPLOYMENT, { spec: deploymentSpec(place, made, spec) }),
    ofVersion(place, kinds.DISRUPTION_BUDGET, {
      spec: {
        selector: { matchLabels: selectorOf(place.service, place.version) },
        maxUnavailable: spec.maxUnavailable,
        // A Pod that never gets ready must not keep a node from being drained.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    }),
    ...(spec.autoscaling === undefined
      ? []
      : [ofVersion(place, kinds.AUTOSCALER, { spec: autoscalerSpec(place, spec.autoscaling) })]),
  ];
}

/** A Service that selects one version's Pods. `port` is what clients use, `target` the container's. */
export function serviceSpec(
  { service, version }: VersionPlace,
  port: number | string,
  target: number | string,
): Mapping {
  return {
    type: 'ClusterIP',
    selector: selectorOf(service, version),
    ports: [
      {
        name: PORT_NAME,
        protocol: 'TCP',
        port: servicePort(port),
        targetPort: target,
      },
    ],
  };
}

/** The port of a version's containers as the version was made, whatever the spec says by now; undefined: that is not known. */
export function madePort(revisions: readonly Revision[], version: VersionName): number | string | undefined {
  const port = revisions.find((one) => versionOf(one) === version)?.data?.['port'];
  return typeof port === 'number' || typeof port === 'string' ? port : undefined;
}

/** The port of a Service that leads to this one of a container. */
export function servicePort(port: number | string): number {
  return typeof port === 'number' ? port : NAMED_PORT;
}

/** An object with the name, labels and owner of a version; `name` where it has another one. */
export function ofVersion(
  { namespace, service, version, owner }: VersionPlace,
  kind: Kind,
  content: Mapping,
  name: string = objectName(service, version),
): WantedObject {
  const metadata = { name, namespace, labels: labelsOf(service, version) };
  const revision = createHash('sha256')
    .update(JSON.stringify([metadata, content]))
    .digest('hex')
    .slice(0, 16);
  const object = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      ...metadata,
      annotations: { [REVISION]: revision },
      ...(owner === undefined ? {} : { ownerReferences: [{ ...owner }] }),
    },
    ...content,
  };
  return { kind, object };
}

function deploymentSpec(
  { service, version }: VersionPlace,
  { template }: Made,
  { replicas, autoscaling, isScaledByAnother }: WantedNumbers,
): Mapping {
  const { metadata, ...rest } = template as { readonly metadata?: Json };
  return {
    // With an autoscaler the number is its own.
    ...(autoscaling === undefined && !isScaledByAnother ? { replicas } : {}),
    revisionHistoryLimit: 1,
    selector: { matchLabels: selectorOf(service, version) },
    // Nothing of a version changes but by hand; where it must be put right, no ready Pod goes before another one is ready.
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    template: {
      ...rest,
      metadata: {
        ...(metadata as Mapping | undefined),
        labels: { ...podLabels(template), ...labelsOf(service, version) },
      },
    },
  };
}

function autoscalerSpec(
  { service, version }: VersionPlace,
  { min, max, cpuPercent }: NonNullable<KubernetesRuntimeSpec['autoscaling']>,
): Mapping {
  return {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: objectName(service, version) },
    minReplicas: min,
    maxReplicas: max,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: cpuPercent } },
      },
    ],
  };
}
