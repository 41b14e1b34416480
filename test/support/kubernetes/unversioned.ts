/** A namespace where something runs that nobody has versioned, and a controller as a Deployment, as installed. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import { onTestFinished } from 'vitest';
import { DEPLOYMENT, POD, SERVICE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { ROLLOUT, VERSIONED_SERVICE } from '../../../src/adapters/kubernetes/custom-resources.ts';
import type { Deployment, Service } from '../../../src/adapters/kubernetes/runtime/objects.ts';
import type { ServiceObject } from '../../../src/custom-resources/objects.ts';
import { eventually } from '../eventually.ts';
import { type CommandResult, SWITCHYARD, switchyard } from '../system/command-line.ts';
import { installKinds } from './custom-resources.ts';
import { type RuntimeWorld, runtimeWorld } from './runtime-world.ts';
import { installStateKinds } from './state-namespace.ts';

const PROGRAM = join(import.meta.dirname, '../programs/pod.ts');
const WITHIN = 60_000;
const NAME = 'orders';

export class UnversionedWorld {
  readonly place: RuntimeWorld;

  private constructor(place: RuntimeWorld) {
    this.place = place;
  }

  /** A Deployment and a Service `orders` with two ready Pods, and a controller that leads. */
  static async create(): Promise<UnversionedWorld> {
    const place = await runtimeWorld();
    await installStateKinds(place);
    await installKinds(place, VERSIONED_SERVICE, ROLLOUT);
    const world = new UnversionedWorld(place);
    await world.#create();
    await world.install();
    return world;
  }

  /** Runs a command of ours against the namespace. */
  run(...args: readonly string[]): Promise<CommandResult> {
    const { kubeconfig, namespace } = this.place;
    return switchyard('', [...args, '--kubeconfig', kubeconfig, '--namespace', namespace]);
  }

  /** Runs a command that must succeed; gives what it printed. */
  async must(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args);
    if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Installs the controller: its Deployment, whose Pod runs this clone. */
  async install(): Promise<void> {
    const { api, namespace, kubeconfig } = this.place;
    const labels = { 'app.kubernetes.io/name': 'switchyard', 'app.kubernetes.io/component': 'controller' };
    const addresses = ['xds:18000', 'admin:18001', 'http:18002', 'watcher:18003', 'replica:18004'];
    const container = {
      name: 'controller',
      image: 'none',
      command: [SWITCHYARD, 'controller', '--kubernetes', `--namespace=${namespace}`],
      args: addresses.map((each) => `--${each.replace(':', '-address=$(POD_IP):')}`),
      env: [
        { name: 'KUBECONFIG', value: kubeconfig },
        { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
        { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      ],
      readinessProbe: { httpGet: { path: '/readyz', port: 18_002 }, periodSeconds: 1 },
    };
    await api.create(
      DEPLOYMENT,
      { namespace },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'switchyard-controller', labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { containers: [container] } },
        },
      },
    );
    await this.ready('switchyard-controller');
    onTestFinished(async () => {
      await this.scale('switchyard-controller', 0).catch(() => undefined);
      await this.gone('app.kubernetes.io/component=controller');
    });
  }

  async scale(deployment: string, replicas: number): Promise<void> {
    await this.#merge(pathOf(DEPLOYMENT, { namespace: this.place.namespace, name: deployment }), {
      spec: { replicas },
    });
  }

  /** Waits until all Pods of a Deployment are ready. */
  async ready(name: string): Promise<void> {
    await eventually(
      async () => {
        const { spec, status } = await this.deployment(name);
        return (status as { readyReplicas?: number } | undefined)?.readyReplicas === spec.replicas;
      },
      { what: `the Pods of ${name}`, within: WITHIN, every: 100 },
    );
  }

  /** Waits until no Pod has the labels. */
  async gone(labelSelector: string): Promise<void> {
    await eventually(async () => (await this.pods(labelSelector)).length === 0, {
      what: `the end of ${labelSelector}`,
      within: WITHIN,
      every: 100,
    });
  }

  async pods(labelSelector: string): Promise<readonly KubernetesObject[]> {
    const path = pathOf(POD, { namespace: this.place.namespace });
    const { items } = await this.place.api.json<{ items: readonly KubernetesObject[] }>({
      method: 'GET',
      path,
      query: { labelSelector },
    });
    return items;
  }

  /** What tells Pods from others of the same name. */
  async podIds(labelSelector: string): Promise<ReadonlySet<string>> {
    return new Set((await this.pods(labelSelector)).map(({ metadata: { uid = '' } }) => uid));
  }

  deployment(name: string): Promise<Deployment> {
    return this.place.api.get<Deployment>(DEPLOYMENT, { namespace: this.place.namespace, name });
  }

  service(): Promise<Service> {
    return this.place.api.get<Service>(SERVICE, { namespace: this.place.namespace, name: NAME });
  }

  object(): Promise<ServiceObject> {
    return this.place.api.get<ServiceObject>(VERSIONED_SERVICE, {
      namespace: this.place.namespace,
      name: NAME,
    });
  }

  /** Wishes for a version, as a person would with kubectl. */
  async wish(version: string): Promise<void> {
    await this.#merge(this.#path(), { spec: { version } });
  }

  async order(text: string): Promise<void> {
    await this.#merge(this.#path(), { metadata: { annotations: { 'switchyard.dev/order': text } } });
    await this.until(
      `${text} to be carried out`,
      ({ order }) => order?.text === text && order.outcome === 'Done',
    );
  }

  /** Waits until the status of the newest spec says so. */
  async until(what: string, is: (status: Status) => boolean): Promise<void> {
    let last: unknown;
    await eventually(
      async () => {
        const { metadata, status } = await this.object();
        last = status;
        return status !== undefined && status.observedGeneration === metadata.generation && is(status);
      },
      { what, within: WITHIN, every: 100 },
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the status is ${JSON.stringify(last)}`);
    });
  }

  /** Waits until the Service leads to a version. */
  async leadsTo(version: string): Promise<void> {
    await eventually(
      async () => (await this.service()).spec?.selector?.['switchyard.dev/version'] === version,
      { what: `the Service at ${version}`, within: WITHIN, every: 100 },
    );
  }

  async #create(): Promise<void> {
    const { api, namespace } = this.place;
    const labels = { app: NAME };
    const container = {
      name: NAME,
      image: `registry.example/${NAME}:v1`,
      command: [execPath, PROGRAM],
      ports: [{ name: 'http', containerPort: 8080 }],
      env: [
        { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
        {
          name: 'VERSION',
          valueFrom: { fieldRef: { fieldPath: "metadata.labels['switchyard.dev/version']" } },
        },
      ],
      readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 },
    };
    await api.create(
      DEPLOYMENT,
      { namespace },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: NAME },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: { terminationGracePeriodSeconds: 5, containers: [container] },
          },
        },
      },
    );
    const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
    const object = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME },
      spec: { selector: labels, ports },
    };
    await api.create(SERVICE, { namespace }, object);
    await this.ready(NAME);
  }

  #path(): string {
    return pathOf(VERSIONED_SERVICE, { namespace: this.place.namespace, name: NAME });
  }

  async #merge(path: string, body: object): Promise<void> {
    const query = { fieldManager: 'kubectl-edit' };
    await this.place.api.json({
      method: 'PATCH',
      path,
      query,
      contentType: 'application/merge-patch+json',
      body,
    });
  }
}

type Status = NonNullable<ServiceObject['status']> & {
  readonly primary?: string;
  readonly weight?: number;
};
