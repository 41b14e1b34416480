/** What stays of each service when Switchyard goes, what goes, and what must be over before. Pure. */
import type { KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { serviceOf, versionIn, versionOf } from '../adapters/kubernetes/labels.ts';
import { objectName } from '../adapters/kubernetes/names.ts';
import type { ServiceObject } from '../custom-resources/objects.ts';
import { type ServiceName, serviceName } from '../model/names.ts';
import { isOpen, type RolloutRecord } from '../model/rollout.ts';
import type { ServiceRecord, Traffic } from '../model/state.ts';

/** What is recorded of a service, as far as it matters here. */
export interface Recorded {
  readonly spec: {
    readonly version: string;
    readonly runtime: Pick<ServiceRecord['spec']['runtime'], 'kind'> & { readonly gatewayApi?: object };
  };
  readonly traffic: Traffic;
  readonly versions: ServiceRecord['versions'];
  readonly rollout?: Pick<RolloutRecord, 'state' | 'version'>;
}

export interface RoutingObject extends KubernetesObject {
  readonly spec: { readonly record: Recorded };
}

export interface SelectingService extends KubernetesObject {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> };
}

export interface Installed {
  readonly services: readonly ServiceObject[];
  readonly routings: readonly RoutingObject[];
  /** All that was made for versions, by what it is; Services apart. */
  readonly made: readonly KubernetesObject[];
  /** All Services of the namespace. */
  readonly kubernetesServices: readonly SelectingService[];
}

export interface ServicePlan {
  readonly service: ServiceName;
  readonly object: ServiceObject;
  readonly primary?: string;
  /** What stays of the primary: it runs, or is read by what runs. */
  readonly stays: readonly KubernetesObject[];
  /** The versions that go with the service. */
  readonly goes: readonly string[];
  /** What must be over before. */
  readonly refusals: readonly string[];
}

/** Only what serves stays: the version's own Service is for proxies that were told of it by us. */
const STAYING: ReadonlySet<string> = new Set([
  'Deployment',
  'HorizontalPodAutoscaler',
  'PodDisruptionBudget',
  'ConfigMap',
  'Secret',
  'ControllerRevision',
]);

export function planOf(
  installed: Installed,
  { waiveOpenWork }: { readonly waiveOpenWork: boolean },
): readonly ServicePlan[] {
  return installed.services.map((object) => {
    const service = serviceName(object.metadata.name);
    const record = installed.routings.find(({ metadata }) => metadata.name === service)?.spec.record;
    const primary =
      record === undefined || record.traffic.kind === 'none' ? undefined : record.traffic.primary;
    const runsPods = record?.spec.runtime.kind === 'kubernetes';
    const entrance = installed.kubernetesServices.filter((one) => isEntranceOf(one, service));
    return {
      service,
      object,
      ...(primary === undefined ? {} : { primary }),
      stays:
        primary === undefined || !runsPods
          ? []
          : [...ofVersion(installed.made, service, primary), ...entrance],
      goes: otherVersions(record, primary).map(({ name }) => name),
      refusals: [
        ...refusalsOf({ service, object, record, waiveOpenWork }),
        ...(runsPods && primary !== undefined ? straying(entrance, service, primary) : []),
      ],
    };
  });
}

/** A Service that leads clients to the primary, whoever made it. */
function isEntranceOf(one: SelectingService, service: ServiceName): boolean {
  const version = versionIn(one.spec?.selector);
  return (
    serviceOf(one) === service && version !== undefined && one.metadata.name !== objectName(service, version)
  );
}

function ofVersion(
  made: readonly KubernetesObject[],
  service: ServiceName,
  version: string,
): readonly KubernetesObject[] {
  return made.filter(
    (one) => STAYING.has(one.kind) && serviceOf(one) === service && versionOf(one) === version,
  );
}

function otherVersions(record: Recorded | undefined, primary: string | undefined): ServiceRecord['versions'] {
  return (record?.versions ?? []).filter(({ name, state }) => name !== primary && state !== 'Retired');
}

function refusalsOf(facts: {
  readonly service: ServiceName;
  readonly object: ServiceObject;
  readonly record: Recorded | undefined;
  readonly waiveOpenWork: boolean;
}): readonly string[] {
  const { service, object, record, waiveOpenWork } = facts;
  const { metadata, status } = object;
  if (record === undefined) return [];
  const { traffic, rollout, versions } = record;
  const draining = versions.filter(({ state }) => state === 'Draining').map(({ name }) => name);
  return [
    ...(record.spec.runtime.gatewayApi === undefined
      ? []
      : [
          `${service}: gateways reach it by its HTTPRoute, which goes with it. Lead them to the primary's Service by a route of your own, then take spec.runtime.kubernetes.gatewayApi out`,
        ]),
    ...(traffic.kind === 'shifting'
      ? [
          `${service}: a shift runs: ${traffic.candidate} has ${traffic.weight} % of the default traffic. Finish or abort it`,
        ]
      : []),
    ...(rollout !== undefined && isOpen(rollout.state)
      ? [
          `${service}: the rollout of ${rollout.version} is ${rollout.state}. Wait until it has ended, or abort it`,
        ]
      : []),
    ...(status?.observedGeneration === metadata.generation
      ? []
      : [`${service}: its newest spec was not looked at yet, and may begin a rollout`]),
    ...(draining.length > 0 && !waiveOpenWork
      ? [
          `${service}: ${draining.join(', ')} may have open work, which would end with it. Wait until it is drained, or say --waive-open-work`,
        ]
      : []),
  ];
}

/** While it is behind its clients would stay with a version that goes. */
function straying(
  entrance: readonly SelectingService[],
  service: ServiceName,
  primary: string,
): readonly string[] {
  return entrance
    .filter(({ spec }) => versionIn(spec?.selector) !== primary)
    .map(
      ({ metadata, spec }) =>
        `${service}: Service ${metadata.name} still leads to ${versionIn(spec?.selector)}, and ${primary} is primary`,
    );
}
