/** What is written on every object that we make: who made it, and for which service and version. */
import { isName, type ServiceName, type VersionName } from '../../model/names.ts';
import type { KubernetesObject } from './client/objects.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const SERVICE = 'switchyard.dev/service';
const VERSION = 'switchyard.dev/version';
const SWITCHYARD = 'switchyard';

/** A hash of what the object was applied as. */
export const REVISION = 'switchyard.dev/revision';

/** On a Service that we did not make: the VersionedService of this name may lead it to its primary. */
export const ADOPT_FOR = 'switchyard.dev/adopt-for';
/** On such a Service, from when it is led by us: what it selected before, as JSON. */
export const SELECTED_BEFORE = 'switchyard.dev/selected-before';

/** On a Deployment that was adopted: `SERVICE/VERSION`. */
export const ADOPTED_AS = 'switchyard.dev/adopted-as';
/** On a Deployment whose Pods a version has taken the place of: how many there were. */
export const REPLICAS_BEFORE = 'switchyard.dev/replicas-before';

/** Chooses what we made, and what Kubernetes made of that: Pods and EndpointSlices carry the labels too. */
export const OURS = `${MANAGED_BY}=${SWITCHYARD},${SERVICE},${VERSION}`;

/** The labels of a version's objects. */
export function labelsOf(service: ServiceName, version: VersionName): Readonly<Record<string, string>> {
  return { [MANAGED_BY]: SWITCHYARD, ...selectorOf(service, version) };
}

/** What chooses the Pods of a version. */
export function selectorOf(service: ServiceName, version: VersionName): Readonly<Record<string, string>> {
  return { [SERVICE]: service, [VERSION]: version };
}

export function isOurs({ metadata }: KubernetesObject): boolean {
  return metadata.labels?.[MANAGED_BY] === SWITCHYARD;
}

/** Whether the owner of a Service that we did not make has given it to a service. */
export function isGivenTo({ metadata }: KubernetesObject, service: ServiceName): boolean {
  return metadata.annotations?.[ADOPT_FOR] === service;
}

/** The service that an object belongs to; undefined where it belongs to none. */
export function serviceOf({ metadata }: KubernetesObject): ServiceName | undefined {
  return named(metadata.labels?.[SERVICE]) as ServiceName | undefined;
}

export function versionOf({ metadata }: KubernetesObject): VersionName | undefined {
  return versionIn(metadata.labels);
}

/** The version that labels, or a selector, name. */
export function versionIn(labels: Readonly<Record<string, string>> = {}): VersionName | undefined {
  return named(labels[VERSION]) as VersionName | undefined;
}

function named(text: string | undefined): string | undefined {
  return text !== undefined && isName(text) ? text : undefined;
}
