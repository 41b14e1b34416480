/** Reads what an adoption must know of a namespace, once. */
import type { KubernetesApi } from '../adapters/kubernetes/client/api.ts';
import { isNotFound, KubernetesApiError } from '../adapters/kubernetes/client/api-error.ts';
import * as kinds from '../adapters/kubernetes/client/kinds.ts';
import type { Kind, KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { list } from '../adapters/kubernetes/client/watch.ts';
import { VERSIONED_SERVICE } from '../adapters/kubernetes/custom-resources.ts';
import { isGivenTo } from '../adapters/kubernetes/labels.ts';
import { givenBack } from '../adapters/kubernetes/runtime/adopted-service.ts';
import type { ServiceObject } from '../custom-resources/objects.ts';
import type { ServiceName } from '../model/names.ts';
import type { Found, Target } from './choose.ts';
import { AdoptionError } from './error.ts';
import type { Around } from './findings.ts';
import type { Deployment, EndpointSlice, Service } from './objects.ts';

/** A namespace, and the way to it. */
export interface Place {
  readonly api: KubernetesApi;
  readonly namespace: string;
}

export type Surroundings = Found & Around;

const PATIENCE = 30_000;
const CONTROLLER_LEASE = 'switchyard-controller';
/** Clocks of machines differ; a leader renews every two seconds. */
const LEASE_IS_OLD = 120_000;

/** All that may matter. Services that were given to us are shown as they were before. */
export async function readSurroundings(place: Place, target: Target): Promise<Surroundings> {
  const [deployments, services, pods, autoscalers, policies, ingresses] = await Promise.all([
    readAll<Deployment>(place, kinds.DEPLOYMENT),
    readAll<Service>(place, kinds.SERVICE),
    readAll<KubernetesObject>(place, kinds.POD),
    readAll<never>(place, kinds.AUTOSCALER),
    readAll<never>(place, kinds.NETWORK_POLICY).catch(unlessForbidden),
    target.kind === 'ingress' ? readAll<never>(place, kinds.INGRESS) : [],
  ]);
  return { deployments, services: services.map(asBefore), pods, autoscalers, policies, ingresses };
}

/** The objects of a kind, with who manages which field. */
export async function readAll<Item extends KubernetesObject>(
  { api, namespace }: Place,
  kind: Kind,
  labelSelector?: string,
): Promise<readonly Item[]> {
  const selection = {
    kind,
    namespace,
    keepsManagers: true,
    ...(labelSelector === undefined ? {} : { labelSelector }),
  };
  return (await list<Item>(api, selection, AbortSignal.timeout(PATIENCE))).items;
}

/** Undefined where there is none. */
export async function readOne<Item extends KubernetesObject>(
  { api, namespace }: Place,
  kind: Kind,
  name: string,
): Promise<Item | undefined> {
  return api.get<Item>(kind, { namespace, name }, AbortSignal.timeout(PATIENCE)).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
}

export function readService(place: Place, name: string): Promise<ServiceObject | undefined> {
  return readOne<ServiceObject>(place, VERSIONED_SERVICE, name);
}

/** The Pods that a Service leads to, by name, and whether each is ready. */
export async function readLed(place: Place, service: string): Promise<ReadonlyMap<string, boolean>> {
  const slices = await readAll<EndpointSlice>(
    place,
    kinds.ENDPOINT_SLICE,
    `kubernetes.io/service-name=${service}`,
  );
  const endpoints = slices.flatMap((slice) => slice.endpoints ?? []);
  return new Map(
    endpoints.flatMap(({ targetRef, conditions }) =>
      targetRef?.name === undefined ? [] : [[targetRef.name, conditions?.ready !== false]],
    ),
  );
}

interface Lease extends KubernetesObject {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

/** Throws AdoptionError where no controller looks after the namespace. */
export async function mustBeLed(place: Place, now: number): Promise<void> {
  const lease = await readOne<Lease>(place, kinds.LEASE, CONTROLLER_LEASE);
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  if (holderIdentity !== '' && now - Date.parse(renewTime) < LEASE_IS_OLD) return;
  throw new AdoptionError(`no controller looks after namespace ${place.namespace}`, [
    holderIdentity === ''
      ? 'nobody holds its Lease'
      : `${holderIdentity} has not renewed its Lease since ${renewTime}`,
    `install it first: switchyard install --namespace ${place.namespace} | kubectl apply --server-side -f -`,
  ]);
}

function asBefore(service: Service): Service {
  const { name } = service.metadata;
  const isGiven = isGivenTo(service, name as ServiceName);
  return isGiven ? (givenBack(service, name as ServiceName) as Service) : service;
}

function unlessForbidden(error: unknown): undefined {
  if (error instanceof KubernetesApiError && error.code === 403) return undefined;
  throw error;
}
