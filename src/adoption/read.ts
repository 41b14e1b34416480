/** Reads what an adoption must know of a namespace, once. */
import { KubernetesApiError } from '../adapters/kubernetes/client/api-error.ts';
import * as kinds from '../adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../adapters/kubernetes/client/objects.ts';
import { VERSIONED_SERVICE } from '../adapters/kubernetes/custom-resources.ts';
import { isGivenTo } from '../adapters/kubernetes/labels.ts';
import { givenBack } from '../adapters/kubernetes/runtime/adopted-service.ts';
import type { ServiceObject } from '../custom-resources/objects.ts';
import type { ServiceName } from '../model/names.ts';
import { NamespaceWorkError } from '../namespace-work/error.ts';
import { type Place, readAll, readOne } from '../namespace-work/place.ts';
import type { Found, Target } from './choose.ts';
import type { Around } from './findings.ts';
import type { Deployment, EndpointSlice, Service } from './objects.ts';

export type Surroundings = Found & Around;

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

/** Throws NamespaceWorkError where no controller looks after the namespace. */
export async function mustBeLed(place: Place, now: number): Promise<void> {
  const lease = await readOne<Lease>(place, kinds.LEASE, CONTROLLER_LEASE);
  const { holderIdentity = '', renewTime = '' } = lease?.spec ?? {};
  if (holderIdentity !== '' && now - Date.parse(renewTime) < LEASE_IS_OLD) return;
  throw new NamespaceWorkError(`no controller looks after namespace ${place.namespace}`, [
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
