/** The runtime of Kubernetes over a real API server with a test kubelet: what its tests share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { type Ask, KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import type { Kind, KubernetesObject } from '../../../src/adapters/kubernetes/client/objects.ts';
import { list } from '../../../src/adapters/kubernetes/client/watch.ts';
import { Caches, type CachesOptions } from '../../../src/adapters/kubernetes/runtime/caches.ts';
import {
  KubernetesRuntime,
  type KubernetesRuntimeOptions,
} from '../../../src/adapters/kubernetes/runtime/runtime.ts';
import type { Json } from '../../../src/model/json.ts';
import type { KubernetesRuntimeSpec } from '../../../src/model/kubernetes.ts';
import { clientConfig } from './client-config.ts';
import { startOnFreeNumber } from './kubelet/free-number.ts';
import { startScheduler } from './kubelet/scheduler.ts';
import { type TestNamespace, testNamespace } from './shared-cluster.ts';

const PROGRAM = join(import.meta.dirname, '../programs/pod.ts');

/** Counts what is asked of the server, watches apart. */
export class CountingApi extends KubernetesApi {
  readonly asked: string[] = [];

  override open(...[ask, silence]: Parameters<KubernetesApi['open']>): ReturnType<KubernetesApi['open']> {
    if (ask.query?.['watch'] !== true) this.asked.push(describe(ask));
    return super.open(ask, silence);
  }
}

function describe({ method, path }: Ask): string {
  return `${method} ${path}`;
}

export interface RuntimeWorld extends TestNamespace {
  readonly api: CountingApi;
  /** A new runtime over new caches; those of the one before are stopped. */
  open(options?: Partial<KubernetesRuntimeOptions> & Pick<CachesOptions, 'through'>): Promise<Opened>;
  /** The objects of a kind in the namespace. */
  all<Item extends KubernetesObject>(kind: Kind): Promise<readonly Item[]>;
  dispose(): Promise<void>;
}

export interface Opened {
  readonly runtime: KubernetesRuntime;
  readonly caches: Caches;
}

/** A namespace with a node that runs what is made in it, unless there is none. */
export async function runtimeWorld({ hasNode = true, hasStreams = false } = {}): Promise<RuntimeWorld> {
  const place = await testNamespace();
  const { namespace } = place;
  const api = new CountingApi(clientConfig(place.kubeconfig));
  const stops: (() => Promise<unknown>)[] = [];
  if (hasNode) {
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-runtime-'));
    const kubelet = await startOnFreeNumber({ api: place.api, folder, hasStreams });
    const scheduler = await startScheduler({ api: place.api, nodes: () => [kubelet.name] });
    stops.push(
      () => scheduler.stop(),
      () => kubelet.stop(),
      () => rm(folder, { recursive: true, force: true }),
    );
  }
  let opened: Opened | undefined;
  const close = async (): Promise<void> => {
    await opened?.runtime.close();
    await opened?.caches.stop();
  };
  const dispose = async (): Promise<void> => {
    await close();
    for (const stop of stops.splice(0)) await stop();
  };
  onTestFinished(dispose);
  return {
    ...place,
    api,
    dispose,
    async open({ through, ...options } = {}) {
      await close();
      const common = { api, namespace, clock: systemClock, random: () => 0 };
      const caches = new Caches({ ...common, ...(through === undefined ? {} : { through }) });
      await caches.start();
      const runtime = new KubernetesRuntime({
        ...common,
        caches,
        isLeader: () => true,
        ownerOf: () => undefined,
        ...options,
      });
      opened = { runtime, caches };
      return opened;
    },
    async all<Item extends KubernetesObject>(kind: Kind) {
      const { items } = await list<Item>(place.api, { kind, namespace }, AbortSignal.timeout(30_000));
      return items;
    },
  };
}

/** A container that runs the program of test Pods. */
export function container(more: { readonly [name: string]: Json } = {}, env: readonly Json[] = []): Json {
  return {
    name: 'manager',
    image: 'none:${version}',
    command: [process.execPath, PROGRAM],
    env: [
      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'VERSION', value: '${version}' },
      ...env,
    ],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 1 },
    ...more,
  };
}

/** A spec of one Pod for each version; some fields of it, or of the one container, replaced. */
export function podSpec(
  spec: Partial<KubernetesRuntimeSpec> = {},
  ofContainer: Json = container(),
): KubernetesRuntimeSpec {
  return {
    kind: 'kubernetes',
    pods: {
      kind: 'template',
      template: { spec: { terminationGracePeriodSeconds: 5, containers: [ofContainer] } },
    },
    port: 8080,
    replicas: 1,
    maxUnavailable: 1,
    ...spec,
  };
}
