// Three replicas as real processes at a real API server, with real Pods' processes and a real Envoy: who leads decides, all
// serve, and nothing is cut when that changes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { LEASE, SERVICE } from '../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../src/adapters/kubernetes/client/objects.ts';
import { ROLLOUT, VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import type { ServiceObject } from '../../src/custom-resources/objects.ts';
import type { RolloutObject } from '../../src/custom-resources/rollout-object.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { installKinds } from '../support/kubernetes/custom-resources.ts';
import { ReplicaProcess } from '../support/kubernetes/replica.ts';
import { type RuntimeWorld, runtimeWorld } from '../support/kubernetes/runtime-world.ts';
import { installStateKinds } from '../support/kubernetes/state-namespace.ts';

const PROGRAM = join(import.meta.dirname, '../support/programs/pod.ts');
const WITHIN = 60_000;

class World {
  readonly place: RuntimeWorld;
  readonly replicas: ReplicaProcess[];
  readonly listenerPort: number;
  readonly #folder: string;

  private constructor(place: RuntimeWorld, folder: string, listenerPort: number) {
    this.place = place;
    this.replicas = [];
    this.listenerPort = listenerPort;
    this.#folder = folder;
  }

  static async create(): Promise<World> {
    const place = await runtimeWorld();
    await installStateKinds(place);
    await installKinds(place, VERSIONED_SERVICE, ROLLOUT);
    const folder = await mkdtemp(join(tmpdir(), 'switchyard-replicas-'));
    const world = new World(place, folder, await freePort());
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') for (const replica of world.replicas) console.error(replica.log());
      for (const replica of world.replicas) await replica.stop();
      await rm(folder, { recursive: true, force: true });
    });
    return world;
  }

  async startReplicas(count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.replicas.push(
      ...(await Promise.all(
        numbers.map((number) => ReplicaProcess.start(this.place, { number, folder: this.#folder })),
      )),
    );
  }

  /** An Envoy whose controller is this replica. */
  async gateway(replica: ReplicaProcess): Promise<Envoy> {
    const { stdout, stderr, exitCode } = await replica.run(
      'bootstrap',
      '--output=json',
      '--node-id=gateway',
      `--xds-address=${replica.xds}`,
    );
    if (exitCode !== 0) throw new Error(stderr);
    const envoy = await startEnvoy(JSON.parse(stdout) as object);
    onTestFinished(() => envoy.stop());
    return envoy;
  }

  /** Who holds the Lease. */
  async leader(): Promise<ReplicaProcess> {
    const { api, namespace } = this.place;
    let found: ReplicaProcess | undefined;
    await eventually(
      async () => {
        const { spec } = await api.get<
          KubernetesObject & { readonly spec: { readonly holderIdentity?: string } }
        >(LEASE, { namespace, name: 'switchyard-controller' });
        found = this.replicas.find(({ name }) => spec.holderIdentity?.startsWith(`${name}@`));
        return found !== undefined;
      },
      { what: 'a leader', within: WITHIN },
    );
    return found as ReplicaProcess;
  }

  async wish(version: string): Promise<void> {
    const { api, namespace } = this.place;
    await api.apply(
      VERSIONED_SERVICE,
      { namespace, name: 'manager' },
      { object: this.#object(version), manager: 'switchyard-cli', force: true },
    );
  }

  async order(text: string): Promise<void> {
    await this.place.api.json({
      method: 'PATCH',
      path: pathOf(VERSIONED_SERVICE, { namespace: this.place.namespace, name: 'manager' }),
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { 'switchyard.dev/order': text } } },
    });
  }

  async object(): Promise<ServiceObject> {
    const { api, namespace } = this.place;
    return api.get<ServiceObject>(VERSIONED_SERVICE, { namespace, name: 'manager' });
  }

  /** Waits until a condition says so of the newest spec. */
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
      { what: `${type}=${status}`, within: WITHIN },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the status is ${JSON.stringify(last)}`);
    });
  }

  /** The version that answers through the gateway. */
  async served(): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.listenerPort}/`);
    if (!response.ok) throw new Error(`the gateway answers ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { readonly version: string }).version;
  }

  async serves(version: string): Promise<void> {
    await eventually(async () => (await this.served()) === version, {
      what: `${version} through the gateway`,
      within: WITHIN,
    });
  }

  /** Waits until the Rollout of a version has ended so; there is one of each. */
  async rollout(version: string, state: string): Promise<void> {
    await eventually(
      async () => {
        const rollouts = await this.place.all<RolloutObject>(ROLLOUT);
        const states = rollouts
          .filter(({ spec }) => spec.version === version)
          .map(({ status }) => status?.state);
        return states.length === 1 && states[0] === state;
      },
      { what: `the Rollout of ${version} as ${state}`, within: WITHIN },
    );
  }

  /** Waits until the Service for clients without a proxy leads to a version. */
  async primaryService(version: string): Promise<void> {
    const { api, namespace } = this.place;
    await eventually(
      async () => {
        const { spec } = await api.get<KubernetesObject & { readonly spec: { readonly selector?: object } }>(
          SERVICE,
          {
            namespace,
            name: 'manager',
          },
        );
        return JSON.stringify(spec.selector).includes(`"switchyard.dev/version":"${version}"`);
      },
      { what: `the primary Service at ${version}`, within: WITHIN },
    );
  }

  #object(version: string): KubernetesObject & { readonly spec: object } {
    return {
      apiVersion: 'switchyard.dev/v1alpha1',
      kind: 'VersionedService',
      metadata: { name: 'manager', namespace: this.place.namespace },
      spec: {
        version,
        listeners: [{ name: 'gateway', address: '127.0.0.1', port: this.listenerPort, domains: ['*'] }],
        pin: { allow: { everywhere: true } },
        runtime: {
          kubernetes: {
            port: 8080,
            replicas: 2,
            template: {
              spec: {
                terminationGracePeriodSeconds: 5,
                containers: [
                  {
                    name: 'manager',
                    image: 'manager:${version}',
                    command: [execPath, PROGRAM],
                    ports: [{ containerPort: 8080 }],
                    env: [
                      { name: 'VERSION', value: '${version}' },
                      { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                    ],
                    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
                    resources: { requests: { cpu: '10m', memory: '16Mi' } },
                  },
                ],
              },
            },
          },
        },
      },
    };
  }
}

test('a service is rolled out, rolled back by an order, and goes on when its leader is killed', async () => {
  const world = await World.create();
  await world.startReplicas(3);
  const first = await world.leader();
  const follower = world.replicas.find((replica) => replica !== first) as ReplicaProcess;

  await world.wish('v1');
  await world.condition('Ready', 'True');
  const gateway = await world.gateway(follower);
  await world.serves('v1');
  await world.primaryService('v1');
  const services = await follower.run('get', 'services');
  expect(services.stdout).toMatch(/manager +.*v1/);

  const deployed = await follower.run('deploy', 'manager', 'v2', '--reason', 'by hand');
  expect(deployed).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /never writes their specs: kubectl patch versionedservice manager/,
    ) as string,
  });
  await world.wish('v2');
  await world.condition('Reconciling', 'True');
  await eventually(
    async () => (await world.object()).status?.conditions?.some(({ reason }) => reason === 'Paused'),
    {
      what: 'a rollout that waits for somebody',
      within: WITHIN,
    },
  );
  expect(await world.served()).toBe('v1');
  await world.order('promote 1');
  await world.condition('Ready', 'True');
  await world.serves('v2');
  await world.primaryService('v2');
  await world.rollout('v2', 'Succeeded');
  expect((await world.object()).status?.order).toMatchObject({ text: 'promote 1', outcome: 'Done' });

  first.signal('SIGKILL');
  world.replicas.splice(world.replicas.indexOf(first), 1);
  const second = await world.leader();
  expect(await world.served()).toBe('v2');
  await world.order('rollback 2');
  await world.serves('v1');
  await world.primaryService('v1');
  await world.condition('Stalled', 'True');
  await world.rollout('v2', 'RolledBack');
  expect(await gateway.stat('listener_manager.listener_modified')).toBe(0);
  const proxies = await second.run('get', 'proxies');
  expect(proxies.stdout).toMatch(/gateway/);
}, 300_000);
