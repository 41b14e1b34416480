/**
 * A real API server with many services, whose endpoints are written and served by nobody; one replica of the controller, behind
 * a gate that counts what it asks; and proxies that follow all of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubernetesApi } from '../../src/adapters/kubernetes/client/api.ts';
import { NAMESPACE } from '../../src/adapters/kubernetes/client/kinds.ts';
import { list } from '../../src/adapters/kubernetes/client/watch.ts';
import {
  CONTROLLER_STATE,
  ROLLOUT,
  SERVICE_ROUTING,
  VERSIONED_SERVICE,
} from '../../src/adapters/kubernetes/custom-resources.ts';
import type { ServiceObject } from '../../src/custom-resources/objects.ts';
import { type ServiceName, serviceName, type VersionName, versionName } from '../../src/model/names.ts';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';
import { clientConfig } from '../../test/support/kubernetes/client-config.ts';
import { startCluster } from '../../test/support/kubernetes/cluster.ts';
import { installKinds } from '../../test/support/kubernetes/custom-resources.ts';
import { ReplicaProcess, XDS_PORT } from '../../test/support/kubernetes/replica.ts';
import { ApiGate } from '../../test/support/kubernetes/system/api-gate.ts';
import {
  endpointAddress,
  writeEndpoints,
  writtenService,
} from '../../test/support/kubernetes/written-endpoints.ts';
import { BenchProxy } from './proxy.ts';

export interface Size {
  readonly services: number;
  readonly versions: number;
  readonly endpoints: number;
  readonly proxies: number;
}

const NAMESPACE_NAME = 'bench';
/** Each rollout is some ten writes, and a machine may be busy. */
const WITHIN_EACH = 10_000;

export class BenchWorld {
  readonly size: Size;
  readonly services: readonly ServiceName[];
  readonly versions: readonly VersionName[];
  readonly api: KubernetesApi;
  readonly gate: ApiGate;
  readonly replica: ReplicaProcess;
  readonly proxies: readonly BenchProxy[];
  readonly namespace = NAMESPACE_NAME;
  readonly #undo: AsyncDisposableStack;

  private constructor(
    parts: Pick<BenchWorld, 'size' | 'services' | 'versions' | 'api' | 'gate' | 'replica' | 'proxies'>,
    undo: AsyncDisposableStack,
  ) {
    this.size = parts.size;
    this.services = parts.services;
    this.versions = parts.versions;
    this.api = parts.api;
    this.gate = parts.gate;
    this.replica = parts.replica;
    this.proxies = parts.proxies;
    this.#undo = undo;
  }

  /** Starts everything, brings all versions up, and resolves when every proxy has all of it. */
  static async start(size: Size, say: (line: string) => void): Promise<BenchWorld> {
    await using undo = new AsyncDisposableStack();
    const cluster = await startCluster();
    if ('missing' in cluster)
      throw new Error(`the benchmark needs a Kubernetes API server: ${cluster.missing}`);
    undo.defer(() => cluster.stop());
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-bench-'));
    undo.defer(() => rm(folder, { recursive: true, force: true }));
    const { kubeconfig } = cluster;
    const api = new KubernetesApi(clientConfig(kubeconfig));
    const place = { api, namespace: NAMESPACE_NAME, kubeconfig };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE_NAME } };
    await api.create(NAMESPACE, {}, object);
    await installKinds(place, SERVICE_ROUTING, CONTROLLER_STATE, VERSIONED_SERVICE, ROLLOUT);
    const gate = await ApiGate.before(kubeconfig, join(folder, 'kubeconfig'));
    undo.defer(() => gate.close());
    const replica = await ReplicaProcess.start(
      { namespace: NAMESPACE_NAME, kubeconfig: gate.kubeconfig },
      { number: 1, folder },
    );
    undo.defer(() => replica.stop());
    const services = Array.from({ length: size.services }, (_, index) => serviceName(`service-${index}`));
    const versions = Array.from({ length: size.versions }, (_, index) => versionName(`v${index + 1}`));
    const port = await freePort();
    for (const version of versions) {
      const began = performance.now();
      for (const service of services) {
        await writeEndpoints(place, {
          service,
          version,
          addresses: addressesOf(size, services, service, version),
        });
        const more = {
          traffic: { promotion: 'Automatic' },
          retention: { keep: size.versions, max: size.versions + 1 },
        };
        const wanted = writtenService({ namespace: NAMESPACE_NAME, service, version, port, more });
        await api.apply(
          VERSIONED_SERVICE,
          { namespace: NAMESPACE_NAME, name: service },
          { object: wanted, manager: 'switchyard-cli', force: true },
        );
      }
      await allServe(api, version, services.length);
      const took = Math.round((performance.now() - began) / 1_000);
      say(`${version} is primary of ${services.length} services after ${took} s`);
    }
    const proxies = Array.from({ length: size.proxies }, (_, index) => {
      const proxy = new BenchProxy({ host: replica.address, port: XDS_PORT, id: `proxy-${index}` });
      undo.defer(() => proxy.close());
      return proxy;
    });
    for (const proxy of proxies) await proxy.follows(services.length * versions.length);
    return new BenchWorld({ size, services, versions, api, gate, replica, proxies }, undo.move());
  }

  /** Writes the endpoints of the newest version of a service, the last of them another one each time. */
  async change(service: ServiceName, turn: number): Promise<void> {
    const version = this.versions.at(-1) as VersionName;
    const addresses = addressesOf(this.size, this.services, service, version);
    const other = endpointAddress(1_000_000 + turn);
    await writeEndpoints(this, { service, version, addresses: [...addresses.slice(0, -1), other] });
  }

  async stop(): Promise<void> {
    await this.#undo.disposeAsync();
  }
}

function addressesOf(
  { versions, endpoints }: Size,
  services: readonly ServiceName[],
  service: ServiceName,
  version: VersionName,
): readonly string[] {
  const first = (services.indexOf(service) * versions + Number(version.slice(1))) * endpoints;
  return Array.from({ length: endpoints }, (_, index) => endpointAddress(first + index));
}

async function allServe(api: KubernetesApi, version: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const { items } = await list<ServiceObject>(
        api,
        { kind: VERSIONED_SERVICE, namespace: NAMESPACE_NAME },
        AbortSignal.timeout(30_000),
      );
      const serving = items.filter(
        ({ status }) =>
          status?.primary === version &&
          status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true,
      );
      return serving.length === count;
    },
    { what: `${version} as the primary of all`, within: count * WITHIN_EACH, every: 500 },
  );
}
