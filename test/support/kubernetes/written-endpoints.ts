/**
 * Services whose endpoints are written by the test: many of them, without a process for each Pod. Their Deployments are there, and
 * no node runs their Pods; nobody takes requests at the addresses.
 */
import type { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { ENDPOINT_SLICE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { labelsOf } from '../../../src/adapters/kubernetes/labels.ts';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import type { ServiceName, VersionName } from '../../../src/model/names.ts';

export interface EndpointsPlace {
  readonly api: KubernetesApi;
  readonly namespace: string;
}

export interface WrittenEndpoints {
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly addresses: readonly string[];
  /** Absent: they have none. */
  readonly zones?: readonly string[];
}

/** A service of which all is the default that may be, behind one listener that all of them share. */
export function writtenService(of: {
  readonly namespace: string;
  readonly service: ServiceName;
  readonly version: VersionName;
  readonly port: number;
  /** Further parts of the spec. */
  readonly more?: object;
}): KubernetesObject & { readonly spec: object } {
  const { namespace, service, version, port, more = {} } = of;
  const containers = [{ name: 'main', image: 'none', resources: { requests: { cpu: '1m', memory: '1Mi' } } }];
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name: service, namespace },
    spec: {
      version,
      listeners: [{ name: 'gateway', address: '127.0.0.1', port, domains: [`${service}.example`] }],
      pin: { allow: { everywhere: true } },
      runtime: { kubernetes: { port: 8080, replicas: 1, template: { spec: { containers } } } },
      ...more,
    },
  };
}

/** An address of its own for each number, in a network that nobody has. */
export function endpointAddress(number: number): string {
  return `10.${100 + Math.floor(number / 65_536)}.${Math.floor(number / 256) % 256}.${number % 256}`;
}

/** Writes the slice of a version as it is to be from now on. */
export async function writeEndpoints(place: EndpointsPlace, written: WrittenEndpoints): Promise<void> {
  const { api, namespace } = place;
  const { service, version, addresses, zones } = written;
  const name = `${objectName(service, version)}-written`;
  const endpoints = addresses.map((address, index) => ({
    addresses: [address],
    conditions: { ready: true, serving: true, terminating: false },
    ...(zones === undefined ? {} : { zone: zones[index % zones.length] }),
  }));
  await api.json({
    method: 'PATCH',
    path: pathOf(ENDPOINT_SLICE, { namespace, name }),
    query: { fieldManager: 'test', force: true },
    contentType: 'application/apply-patch+yaml',
    body: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name,
        namespace,
        labels: { ...labelsOf(service, version), 'kubernetes.io/service-name': objectName(service, version) },
      },
      addressType: 'IPv4',
      ports: [{ name: 'requests', protocol: 'TCP', port: 8080 }],
      endpoints,
    },
  });
}
