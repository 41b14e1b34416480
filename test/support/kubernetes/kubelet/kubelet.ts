/**
 * A node for tests: registers itself, takes Pods without a node, runs a real process for each container on the Pod's own
 * address, and reports what becomes of it, as a kubelet does. There are no images, volumes or networks of Pods: all
 * addresses are local to the network namespace.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../../../src/adapters/clock.ts';
import type { KubernetesApi } from '../../../../src/adapters/kubernetes/client/api.ts';
import { isNotFound } from '../../../../src/adapters/kubernetes/client/api-error.ts';
import { CONFIG_MAP, LEASE, POD, SECRET } from '../../../../src/adapters/kubernetes/client/kinds.ts';
import {
  type Kind,
  type KubernetesObject,
  keyOf,
  pathOf,
} from '../../../../src/adapters/kubernetes/client/objects.ts';
import { Reflector, sourceOf } from '../../../../src/adapters/kubernetes/client/reflector.ts';
import { microTime } from '../../../../src/adapters/kubernetes/client/times.ts';
import { type EnvironmentVariable, fieldOf, type Pod } from './pod.ts';
import { ContainerProcess } from './process.ts';
import { KubeletStreams } from './streams.ts';

const NODE: Kind = { group: '', version: 'v1', kind: 'Node', plural: 'nodes', scope: 'Cluster' };
const NODE_LEASES = 'kube-node-lease';
const RENEW_EVERY_MS = 2_000;

export interface KubeletOptions {
  readonly api: KubernetesApi;
  /** Its number, from 1 to 250: Pods get addresses of 10.244.NUMBER.0/24. */
  readonly number: number;
  /** Where logs of containers go. */
  readonly folder: string;
  /** Whether ports of its Pods can be forwarded. */
  readonly hasStreams?: boolean;
}

interface Running {
  readonly address: string;
  readonly containers: readonly ContainerProcess[];
  readonly startedAt: string;
  isEnding: boolean;
}

export class TestKubelet {
  readonly name: string;
  readonly #options: KubeletOptions;
  readonly #stop = new AbortController();
  readonly #running = new Map<string, Running>();
  readonly #pods: Reflector<Pod>;
  #streams: KubeletStreams | undefined;
  #addresses = 0;
  #isDead = false;
  /** Statuses of a Pod follow each other. */
  readonly #reports = new Map<string, Promise<void>>();

  private constructor(options: KubeletOptions) {
    this.#options = options;
    this.name = `node-${options.number}`;
    this.#pods = new Reflector<Pod>({
      source: sourceOf<Pod>(options.api, { kind: POD }),
      clock: systemClock,
      random: Math.random,
      onChange: (keys) => {
        for (const key of keys) this.#look(key);
      },
    });
  }

  /** Resolves when the node is Ready and takes Pods. Rejects with a conflict where another node has its number. */
  static async start(options: KubeletOptions): Promise<TestKubelet> {
    const kubelet = new TestKubelet(options);
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: kubelet.name }, spec: {} };
    await options.api.create(NODE, {}, object);
    if (options.hasStreams === true) {
      kubelet.#streams = await KubeletStreams.start(kubelet.#address, options.folder);
    }
    await kubelet.#becomeReady();
    void kubelet.#renew();
    await kubelet.#pods.start();
    return kubelet;
  }

  /** Names of the Pods that run here. */
  get pods(): readonly string[] {
    return [...this.#running.keys()].map((key) => key.split('/').at(-1) ?? '');
  }

  /** kill -9 of the processes of one Pod, which are started again as those of a Pod are. Throws where it does not run here. */
  kill(name: string): void {
    const [, running] = [...this.#running].find(([key]) => key.split('/').at(-1) === name) ?? [];
    if (running === undefined) throw new Error(`no Pod ${name} runs on ${this.name}`);
    for (const one of running.containers) one.kill();
  }

  /** The machine is gone: its processes end at once, and nobody reports that. */
  async die(): Promise<void> {
    this.#isDead = true;
    this.#stop.abort();
    await this.#pods.stop();
    for (const { containers } of this.#running.values()) for (const one of containers) one.die();
    this.#running.clear();
    await this.#streams?.stop();
  }

  /** Ends all processes and takes no Pods any more. */
  async stop(): Promise<void> {
    if (this.#isDead) return;
    await this.die();
    await this.#options.api.delete(NODE, { name: this.name }).catch(() => undefined);
  }

  get #address(): string {
    return `10.0.0.${this.#options.number}`;
  }

  async #becomeReady(): Promise<void> {
    const now = new Date().toISOString();
    const condition = {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'a test kubelet is ready',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    const capacity = { cpu: '64', memory: '64Gi', pods: '250' };
    await this.#merge(pathOf(NODE, { name: this.name, subresource: 'status' }), {
      status: {
        capacity,
        allocatable: capacity,
        conditions: [condition],
        addresses: [{ type: 'InternalIP', address: this.#address }],
        daemonEndpoints: { kubeletEndpoint: { Port: this.#streams?.port ?? 0 } },
      },
    });
  }

  async #renew(): Promise<void> {
    const { api } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const spec = {
        holderIdentity: this.name,
        leaseDurationSeconds: 8,
        renewTime: microTime(systemClock.now()),
      };
      const metadata = { name: this.name, namespace: NODE_LEASES };
      const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      const place = { namespace: NODE_LEASES, name: this.name };
      await api
        .apply(LEASE, place, { object: lease, manager: 'switchyard-cli', force: true })
        .catch(() => undefined);
      await sleep(RENEW_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  #look(key: string): void {
    if (this.#isDead) return;
    const pod = this.#pods.objects.get(key);
    const running = this.#running.get(key);
    if (pod === undefined) {
      if (running !== undefined) void this.#end(key, running, 0);
      return;
    }
    const { nodeName, terminationGracePeriodSeconds = 30 } = pod.spec;
    if (nodeName !== this.name) return;
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (running === undefined) void this.#gone(pod);
      else if (!running.isEnding) {
        void this.#end(key, running, terminationGracePeriodSeconds * 1_000).then(() => this.#gone(pod));
      }
      return;
    }
    if (running === undefined) void this.#run(key, pod);
  }

  async #run(key: string, pod: Pod): Promise<void> {
    this.#addresses += 1;
    const address = `10.244.${this.#options.number}.${this.#addresses}`;
    const containers: ContainerProcess[] = [];
    const running = { address, containers, startedAt: new Date().toISOString(), isEnding: false };
    this.#running.set(key, running);
    this.#streams?.add(key, address);
    const { folder } = this.#options;
    for (const container of pod.spec.containers) {
      containers.push(
        new ContainerProcess({
          container,
          address,
          environment: await this.#environment(pod, container.env ?? [], address),
          logFile: join(folder, `${pod.metadata.name}-${container.name}.log`),
          onChange: () => this.#report(key, pod, running),
        }),
      );
    }
    for (const one of containers) void one.start();
    this.#report(key, pod, running);
  }

  async #environment(
    pod: Pod,
    variables: readonly EnvironmentVariable[],
    address: string,
  ): Promise<Readonly<Record<string, string>>> {
    const values: Record<string, string> = {};
    for (const { name, value = '', valueFrom } of variables) {
      const given = valueFrom === undefined ? value : await this.#valueFrom(pod, valueFrom, address);
      if (given !== undefined) values[name] = given;
    }
    return values;
  }

  async #valueFrom(
    pod: Pod,
    { fieldRef, configMapKeyRef, secretKeyRef }: NonNullable<EnvironmentVariable['valueFrom']>,
    address: string,
  ): Promise<string | undefined> {
    if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath, address);
    const [kind, { name, key, optional = false }] =
      configMapKeyRef === undefined
        ? [SECRET, secretKeyRef ?? { name: '', key: '' }]
        : [CONFIG_MAP, configMapKeyRef];
    const { namespace = '' } = pod.metadata;
    type Data = KubernetesObject & { readonly data?: Readonly<Record<string, string>> };
    const found = await this.#options.api.get<Data>(kind, { namespace, name }).catch((error: unknown) => {
      if (optional && isNotFound(error)) return undefined;
      throw error;
    });
    if (found === undefined) return undefined;
    const text = found.data?.[key] ?? '';
    return kind === SECRET ? Buffer.from(text, 'base64').toString('utf8') : text;
  }

  #report(key: string, pod: Pod, running: Running): void {
    const before = this.#reports.get(key) ?? Promise.resolve();
    const next = before.then(() => this.#reportNow(pod, running)).catch(() => undefined);
    this.#reports.set(key, next);
  }

  async #reportNow(pod: Pod, { address, containers, startedAt, isEnding }: Running): Promise<void> {
    if (this.#isDead) return;
    const isReady = !isEnding && containers.every((one) => one.isReady);
    const condition = (type: string, isTrue: boolean) => ({
      type,
      status: isTrue ? 'True' : 'False',
      lastTransitionTime: new Date().toISOString(),
    });
    const { namespace = '', name } = pod.metadata;
    await this.#merge(pathOf(POD, { namespace, name, subresource: 'status' }), {
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        hostIP: this.#address,
        startTime: startedAt,
        conditions: [
          condition('PodScheduled', true),
          condition('Initialized', true),
          condition('ContainersReady', isReady),
          condition('Ready', isReady),
        ],
        containerStatuses: containers.map((one, index) => ({
          name: pod.spec.containers[index]?.name ?? '',
          image: 'none',
          imageID: 'none',
          ready: one.isReady,
          started: one.pid !== undefined,
          restartCount: Math.max(one.restarts, 0),
          state:
            one.pid === undefined ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt } },
        })),
      },
    });
  }

  async #end(key: string, running: Running, graceMs: number): Promise<void> {
    running.isEnding = true;
    await Promise.all(running.containers.map((one) => one.end(graceMs)));
    this.#running.delete(key);
    this.#streams?.remove(key);
  }

  /** Nothing of it runs any more: the API server may forget it. */
  async #gone({ metadata }: Pod): Promise<void> {
    const { namespace = '', name, uid } = metadata;
    const body = { gracePeriodSeconds: 0, preconditions: { uid } };
    await this.#options.api
      .json({ method: 'DELETE', path: pathOf(POD, { namespace, name }), body })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    this.#reports.delete(keyOf({ apiVersion: 'v1', kind: 'Pod', metadata }));
  }

  #merge(path: string, body: unknown): Promise<unknown> {
    const contentType = 'application/merge-patch+json';
    return this.#options.api.json({ method: 'PATCH', path, body, contentType });
  }
}
