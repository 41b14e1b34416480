/** EndpointSlices and Pods in, instances out: one for each endpoint, ready only where both say so. Pure. */
import type { Instance, InstanceState } from '../../../model/instance.ts';
import { type Instant, instant } from '../../../model/instant.ts';
import type { ServiceName, VersionName } from '../../../model/names.ts';
import { versionOf } from '../labels.ts';
import { objectName } from '../names.ts';
import type { Endpoint, EndpointSlice, Pod } from './objects.ts';
import { conditionOf, isFailing, podTrouble, restartsOf } from './pods.ts';
import { PORT_NAME } from './wanted.ts';

const OWNER_OF_SLICE = 'kubernetes.io/service-name';

export interface Observed {
  readonly service: ServiceName;
  readonly slices: readonly EndpointSlice[];
  readonly pods: readonly Pod[];
  /** Ids of instances that were ready before: they are Unready now, and not Starting. */
  readonly wereReady: ReadonlySet<string>;
}

/** One endpoint, put together from all slices that have it. */
interface Found {
  readonly id: string;
  readonly version: VersionName;
  readonly host: string;
  readonly port: number;
  readonly isIpv4: boolean;
  readonly isReady: boolean;
  readonly isTerminating: boolean;
  readonly isPod: boolean;
  readonly zone?: string;
}

/** The instances of a service, sorted by id. */
export function instancesOf({ service, slices, pods, wereReady }: Observed): readonly Instance[] {
  const byName = new Map(pods.map((pod) => [pod.metadata.name, pod]));
  const found = new Map<string, Found>();
  for (const one of slices.flatMap((slice) => endpointsOf(service, slice))) {
    const earlier = found.get(one.id);
    found.set(one.id, earlier === undefined ? one : together(earlier, one));
  }
  return [...found.values()]
    .map((one) => toInstance({ service, one, pod: byName.get(one.id), wasReady: wereReady.has(one.id) }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Of the Service of a version only: the one of the primary has slices of its own with the same Pods. */
function endpointsOf(service: ServiceName, slice: EndpointSlice): readonly Found[] {
  const version = versionOf(slice);
  if (version === undefined) return [];
  if (slice.metadata.labels?.[OWNER_OF_SLICE] !== objectName(service, version)) return [];
  const port = slice.ports?.find(({ name }) => name === PORT_NAME)?.port;
  if (typeof port !== 'number' || !['IPv4', 'IPv6'].includes(slice.addressType)) return [];
  return (slice.endpoints ?? []).flatMap(({ addresses, conditions, targetRef, zone }: Endpoint): Found[] => {
    const [host] = addresses;
    if (host === undefined) return [];
    const isPod = targetRef?.kind === 'Pod' && targetRef.name !== undefined;
    return [
      {
        id: isPod ? (targetRef.name ?? host) : `${objectName(service, version)}-${host}`,
        version,
        host,
        port,
        isIpv4: slice.addressType === 'IPv4',
        isReady: conditions?.ready ?? true,
        isTerminating: conditions?.terminating ?? false,
        isPod,
        ...(zone ? { zone } : {}),
      },
    ];
  });
}

/** An endpoint that moves between slices is in both for a while, and one of them is old: it is ready where both say so. */
function together(one: Found, other: Found): Found {
  return {
    ...(other.isIpv4 && !one.isIpv4 ? other : one),
    isReady: one.isReady && other.isReady,
    isTerminating: one.isTerminating || other.isTerminating,
  };
}

function toInstance(of: {
  readonly service: ServiceName;
  readonly one: Found;
  readonly pod: Pod | undefined;
  readonly wasReady: boolean;
}): Instance {
  const { service, one, pod, wasReady } = of;
  const { id, version, host, port, zone } = one;
  const { state, reason } = stateOf(one, pod, wasReady);
  return {
    id,
    service,
    version,
    address: { host, port },
    state,
    reason,
    since: sinceOf(pod),
    restarts: pod === undefined ? 0 : restartsOf(pod),
    ...(zone === undefined ? {} : { zone }),
  };
}

function stateOf(
  { isReady, isTerminating, isPod }: Found,
  pod: Pod | undefined,
  wasReady: boolean,
): { readonly state: InstanceState; readonly reason: string } {
  if (isTerminating || pod?.metadata.deletionTimestamp !== undefined)
    return { state: 'Stopping', reason: 'its Pod was told to end' };
  if (!isPod) {
    return isReady
      ? { state: 'Ready', reason: 'its EndpointSlice says so' }
      : { state: 'Unready', reason: 'its EndpointSlice says so' };
  }
  // The two are heard of by ways of their own: the slice may be older than the Pod, or the other way round.
  if (pod === undefined) return { state: 'Starting', reason: 'nothing is known of its Pod yet' };
  const ready = conditionOf(pod, 'Ready');
  if (isReady && ready?.status === 'True') return { state: 'Ready', reason: 'its Pod is ready' };
  const trouble = podTrouble(pod);
  if (isFailing(pod)) return { state: 'Failed', reason: trouble };
  const why = trouble === '' ? (ready?.message ?? '') : trouble;
  return wasReady
    ? { state: 'Unready', reason: `its Pod is not ready any more${why === '' ? '' : `: ${why}`}` }
    : { state: 'Starting', reason: `its Pod is not ready yet${why === '' ? '' : `: ${why}`}` };
}

/** Since when its Pod has been ready or not, else since when there is such a Pod. */
function sinceOf(pod: Pod | undefined): Instant {
  const text = pod && (conditionOf(pod, 'Ready')?.lastTransitionTime ?? pod.metadata.creationTimestamp);
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return instant(Number.isNaN(at) ? 0 : at);
}
