/**
 * One installation in a namespace of a real API server: replicas of the controller as processes, two Envoys that each begin at
 * another replica, nodes whose Pods are real managers, and what a person with kubectl does and sees. Whatever was started is
 * stopped in the reverse order.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POD, SERVICE as SERVICE_KIND } from '../../../../src/adapters/kubernetes/client/kinds.ts';
import {
  type Kind,
  type KubernetesObject,
  pathOf,
} from '../../../../src/adapters/kubernetes/client/objects.ts';
import { list } from '../../../../src/adapters/kubernetes/client/watch.ts';
import {
  CONTROLLER_STATE,
  ROLLOUT,
  SERVICE_ROUTING,
  VERSIONED_SERVICE,
} from '../../../../src/adapters/kubernetes/custom-resources.ts';
import type { ServiceObject } from '../../../../src/custom-resources/objects.ts';
import type { RolloutObject } from '../../../../src/custom-resources/rollout-object.ts';
import type { Envoy } from '../../envoy.ts';
import { eventually } from '../../eventually.ts';
import { freePort } from '../../free-port.ts';
import { startGateway } from '../../system/gateway.ts';
import { Relay } from '../../system/relay.ts';
import { installKinds } from '../custom-resources.ts';
import type { Pod } from '../kubelet/pod.ts';
import { XDS_PORT } from '../replica.ts';
import type { TestNamespace } from '../shared-cluster.ts';
import { managerObject, SERVICE, type Wish } from './manager-object.ts';
import { Nodes } from './nodes.ts';
import { type Member, Replicas } from './replicas.ts';

/** An Envoy, and where clients reach it. */
export interface Entrance {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number };
  readonly envoy: Envoy;
}

export interface InstallationOptions {
  readonly replicas?: number;
  readonly nodes?: number;
}

const WITHIN_MS = 60_000;
/** A leader carries an order out in less. */
const TAKEN_MS = 20_000;
const GATEWAYS = ['gateway-1', 'gateway-2'] as const;

export class Installation {
  readonly place: TestNamespace;
  readonly replicas: Replicas;
  readonly nodes: Nodes;
  readonly folder: string;
  readonly #listeners: readonly { readonly name: string; readonly port: number }[];
  readonly #undo: AsyncDisposableStack;

  private constructor(parts: {
    readonly place: TestNamespace;
    readonly replicas: Replicas;
    readonly nodes: Nodes;
    readonly folder: string;
    readonly listeners: readonly { readonly name: string; readonly port: number }[];
    readonly undo: AsyncDisposableStack;
  }) {
    this.place = parts.place;
    this.replicas = parts.replicas;
    this.nodes = parts.nodes;
    this.folder = parts.folder;
    this.#listeners = parts.listeners;
    this.#undo = parts.undo;
  }

  /** Installs our kinds, and starts the nodes and the controller; no service and no Envoy yet. */
  static async start(
    place: TestNamespace,
    { replicas: count = 3, nodes: machines = 1 }: InstallationOptions = {},
  ): Promise<Installation> {
    const undo = new AsyncDisposableStack();
    try {
      const folder = await mkdtemp(join(tmpdir(), 'switchyard-installation-'));
      undo.defer(() => rm(folder, { recursive: true, force: true }));
      await installKinds(place, SERVICE_ROUTING, CONTROLLER_STATE, VERSIONED_SERVICE, ROLLOUT);
      const nodes = await Nodes.start({ api: place.api, count: machines, folder });
      undo.defer(() => nodes.stop());
      const replicas = await Replicas.start(place, { count, folder });
      undo.defer(() => replicas.stop());
      const listeners = [];
      for (const name of GATEWAYS) listeners.push({ name, port: await freePort() });
      return new Installation({ place, replicas, nodes, folder, listeners, undo });
    } catch (error) {
      await undo.disposeAsync();
      throw error;
    }
  }

  /** Starts the two Envoys, the first at the replica that leads and the second at another one. */
  async startGateways(): Promise<readonly [Entrance, Entrance]> {
    const leader = await this.replicas.leader();
    const follower = this.replicas.all.find(({ number }) => number !== leader.number) ?? leader;
    const [first, second] = this.#listeners;
    if (first === undefined || second === undefined) throw new Error('there are no listeners');
    return [await this.#gateway(first, leader), await this.#gateway(second, follower)];
  }

  /** The object that asks for a version. */
  manifest(wish: Wish): ReturnType<typeof managerObject> {
    return managerObject({ namespace: this.place.namespace, listeners: this.#listeners, wish });
  }

  /** Asks for a version, as `kubectl apply` does. */
  async wish(wish: Wish): Promise<void> {
    const { api, namespace } = this.place;
    const object = this.manifest(wish);
    const change = { object, manager: 'switchyard-cli', force: true } as const;
    await api.apply(VERSIONED_SERVICE, { namespace, name: SERVICE }, change);
  }

  /** Gives an order by annotation, as `kubectl annotate` does. */
  async order(text: string): Promise<void> {
    await this.place.api.json({
      method: 'PATCH',
      path: pathOf(VERSIONED_SERVICE, { namespace: this.place.namespace, name: SERVICE }),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { 'switchyard.dev/order': text } } },
    });
  }

  /**
   * Gives an order and waits until it is done. One that was taken by a leader that ended within it is given again, as the docs
   * tell people to. Throws where it is refused, or nobody takes it.
   */
  async carryOut(verb: string): Promise<void> {
    for (;;) {
      const text = `${verb} ${Date.now()}`;
      await this.order(text);
      const seen = async () => {
        const { status } = await this.object();
        return status?.order?.text === text ? status.order : undefined;
      };
      const taken = await eventually(seen, { what: `that ${text} is taken`, within: WITHIN_MS, every: 50 });
      if (taken.outcome === 'Refused') throw new Error(`${text} is refused: ${taken.message}`);
      const isDone = async () => (await seen())?.outcome === 'Done';
      const done = eventually(isDone, { what: `that ${text} is done`, within: TAKEN_MS, every: 50 });
      if (await done.catch(() => false)) return;
    }
  }

  async object(): Promise<ServiceObject> {
    const { api, namespace } = this.place;
    return api.get<ServiceObject>(VERSIONED_SERVICE, { namespace, name: SERVICE });
  }

  /** Waits until a condition says so of the newest spec, as `kubectl wait` does. */
  async condition(type: string, status: string): Promise<void> {
    let last: unknown;
    await eventually(
      async () => {
        const object = await this.object();
        last = object.status;
        return (
          object.status?.observedGeneration === object.metadata.generation &&
          object.status?.conditions?.some((one) => one.type === type && one.status === status) === true
        );
      },
      { what: `${type}=${status}`, within: WITHIN_MS, every: 50 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the status is ${JSON.stringify(last)}`);
    });
  }

  /** Waits until the Rollout of a version has ended so; there is one of each. */
  async rollout(version: string, state: string): Promise<void> {
    await eventually(
      async () => {
        const rollouts = await this.all<RolloutObject>(ROLLOUT);
        const states = rollouts
          .filter(({ spec }) => spec.version === version)
          .map(({ status }) => status?.state);
        return states.length === 1 && states[0] === state;
      },
      { what: `the Rollout of ${version} as ${state}`, within: WITHIN_MS, every: 50 },
    );
  }

  /** Waits until the Service for clients without a proxy leads to a version. */
  async primaryService(version: string): Promise<void> {
    const { api, namespace } = this.place;
    type Selecting = KubernetesObject & { readonly spec: { readonly selector?: object } };
    await eventually(
      async () => {
        const { spec } = await api.get<Selecting>(SERVICE_KIND, { namespace, name: SERVICE });
        return JSON.stringify(spec.selector).includes(`"switchyard.dev/version":"${version}"`);
      },
      { what: `the primary Service at ${version}`, within: WITHIN_MS, every: 50 },
    );
  }

  /** Resolves when every Envoy is connected and has followed all that the controller has to say. */
  async inSync(): Promise<void> {
    const isThere = async () => {
      const { proxies } = await this.replicas.call('listProxies', {});
      return (
        proxies.length >= GATEWAYS.length && proxies.every(({ connected, inSync }) => connected && inSync)
      );
    };
    await eventually(isThere, {
      what: 'all Envoys in step with the controller',
      within: WITHIN_MS,
      every: 50,
    });
  }

  /** The Pods of a version that are not being deleted. */
  async pods(version: string): Promise<readonly Pod[]> {
    const pods = await this.all<Pod>(POD);
    return pods.filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined && metadata.labels?.['switchyard.dev/version'] === version,
    );
  }

  /** Waits until the controller knows two Pods of each of these versions, both ready, and no others. */
  async whole(...versions: readonly string[]): Promise<void> {
    const isWhole = async () => {
      const { services } = await this.replicas.call('listServices', {});
      return versions.every((version) => {
        const found = services[0]?.versions.find(({ name }) => name === version);
        return found?.instances.length === 2 && found.readyEndpoints === 2;
      });
    };
    const what = `two ready Pods of ${versions.join(' and ')}, and no others`;
    await eventually(isWhole, { what, within: WITHIN_MS, every: 100 });
  }

  /** The objects of a kind in the namespace. */
  async all<Item extends KubernetesObject>(kind: Kind): Promise<readonly Item[]> {
    const { api, namespace } = this.place;
    const { items } = await list<Item>(api, { kind, namespace }, AbortSignal.timeout(30_000));
    return items;
  }

  /** Stops all of it. */
  async stop(): Promise<void> {
    await this.#undo.disposeAsync();
  }

  /** An Envoy reaches the controller as by a Service: whoever answers of the replicas, at first this one. */
  async #gateway(listener: { readonly name: string; readonly port: number }, at: Member): Promise<Entrance> {
    const { name, port } = listener;
    const relay = await Relay.to(() => {
      const { running } = this.replicas;
      const chosen =
        running.find(({ number }) => number === at.number && this.replicas.isTrusted(at)) ?? running[0];
      return { host: (chosen ?? at).process.address, port: XDS_PORT };
    });
    this.#undo.defer(() => relay.close());
    const { server } = at.process;
    const envoy = await startGateway({ name, server, xdsPort: relay.port, listeners: [name] });
    this.#undo.defer(() => envoy.stop());
    return { name, address: { host: '127.0.0.1', port }, envoy };
  }
}
