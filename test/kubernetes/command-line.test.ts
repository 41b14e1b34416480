/**
 * The command line through a kubeconfig: the API server forwards the admin port of a replica, by the code that real kubelets
 * forward with, to somebody who may do just that. Two replicas run as Pods, as the manifests have them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { DEPLOYMENT, POD } from '../../src/adapters/kubernetes/client/kinds.ts';
import type { Kind, KubernetesObject } from '../../src/adapters/kubernetes/client/objects.ts';
import { ROLLOUT, VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import type { ControllerPod } from '../../src/adapters/kubernetes/port-forward/pods.ts';
import { type Finished, runCli, startCli } from '../support/admin/cli.ts';
import { runHere } from '../support/admin/here.ts';
import { eventually } from '../support/eventually.ts';
import { goProgram } from '../support/go-program.ts';
import { documentWith } from '../support/kubernetes/bad-services.ts';
import { installKinds } from '../support/kubernetes/custom-resources.ts';
import { type RuntimeWorld, runtimeWorld } from '../support/kubernetes/runtime-world.ts';
import { kubeconfigAs } from '../support/kubernetes/service-account.ts';
import { installStateKinds } from '../support/kubernetes/state-namespace.ts';

const WITHIN = 60_000;
const SERVICE_ACCOUNT = core('ServiceAccount', 'serviceaccounts');
const ROLE = rbac('Role', 'roles');
const ROLE_BINDING = rbac('RoleBinding', 'rolebindings');

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: {
      readonly metadata: object;
      readonly spec: {
        readonly containers: readonly {
          readonly args: readonly string[];
          readonly env: readonly object[];
          readonly [field: string]: unknown;
        }[];
      };
    };
  };
}

/** The controller's Deployment as `switchyard install` prints it, run from this clone on the addresses of its Pods. */
async function controllerHere(
  { namespace, kubeconfig }: RuntimeWorld,
  replicas: number,
): Promise<Deployment> {
  const { stdout } = await runHere(['install', '--without-crds', '--namespace', namespace]);
  const objects = parseAllDocuments(stdout).map((each) => each.toJS() as Deployment);
  const installed = objects.find(({ kind }) => kind === 'Deployment');
  const [container] = installed?.spec.template.spec.containers ?? [];
  if (installed === undefined || container === undefined) throw new Error('no Deployment is installed');
  const args = container.args.map((argument) =>
    argument
      .replace(/=(0\.0\.0\.0|127\.0\.0\.1):/, '=$(POD_IP):')
      .replace('/var/lib/switchyard', `${tmpdir()}/$(POD_NAME)`),
  );
  const { template } = installed.spec;
  return {
    ...installed,
    spec: {
      ...installed.spec,
      replicas,
      template: {
        ...template,
        spec: {
          containers: [
            {
              ...container,
              args: [resolve('src/main.ts'), ...args],
              env: [...container.env, { name: 'KUBECONFIG', value: kubeconfig }],
              command: [execPath, '--disable-warning=ExperimentalWarning'],
              volumeMounts: [],
              startupProbe: undefined,
              livenessProbe: undefined,
              lifecycle: undefined,
              readinessProbe: { httpGet: { path: '/readyz', port: 18_002 }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

class World {
  readonly place: RuntimeWorld;
  readonly #folder: string;

  private constructor(place: RuntimeWorld, folder: string) {
    this.place = place;
    this.#folder = folder;
  }

  static async create(): Promise<World> {
    const place = await runtimeWorld({ hasStreams: true });
    await installStateKinds(place);
    await installKinds(place, VERSIONED_SERVICE, ROLLOUT);
    const folder = mkdtempSync(join(tmpdir(), 'switchyard-command-line-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return new World(place, folder);
  }

  async startReplicas(count: number): Promise<void> {
    const { api, namespace } = this.place;
    await api.create(DEPLOYMENT, { namespace }, await controllerHere(this.place, count));
    await eventually(async () => (await this.readyPods()).length === count, {
      what: 'ready replicas',
      within: WITHIN,
    });
  }

  /** Those of the controller, by name. */
  async readyPods(): Promise<readonly string[]> {
    const pods = await this.place.all<ControllerPod>(POD);
    return pods
      .filter(({ metadata, status }) => {
        const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
        const isOurs = metadata.labels?.['app.kubernetes.io/component'] === 'controller';
        return isOurs && isReady === true && metadata.deletionTimestamp === undefined;
      })
      .map(({ metadata }) => metadata.name)
      .toSorted();
  }

  /** A kubeconfig of somebody who may do this in the namespace; the context is `shop`, and names the namespace. */
  async kubeconfigOf(name: string, rules: readonly object[]): Promise<string> {
    const { api, namespace } = this.place;
    const named = { metadata: { name, namespace } };
    const group = 'rbac.authorization.k8s.io';
    const ofGroup = { apiVersion: `${group}/v1`, ...named };
    const subjects = [{ kind: 'ServiceAccount', name, namespace }];
    const roleRef = { apiGroup: group, kind: 'Role', name };
    await api.create(SERVICE_ACCOUNT, { namespace }, { apiVersion: 'v1', kind: 'ServiceAccount', ...named });
    await api.create(ROLE, { namespace }, { ...ofGroup, kind: 'Role', rules });
    await api.create(ROLE_BINDING, { namespace }, { ...ofGroup, kind: 'RoleBinding', subjects, roleRef });
    const config = await kubeconfigAs(this.place, name);
    const file = join(this.#folder, `${name}.kubeconfig`);
    const contexts = [{ name: 'shop', context: { cluster: 'test', user: 'admin', namespace } }];
    writeFileSync(file, stringify({ ...config, contexts, 'current-context': 'none' }), { mode: 0o600 });
    return file;
  }
}

/** Its Pods never become ready, which is nothing to these tests. */
function serviceOf(name: string): object {
  const containers = [{ name, image: 'none', command: ['sleep', '1000'] }];
  return {
    ...documentWith({
      listeners: [{ name: 'gateway', domains: [`${name}.example`] }],
      runtime: { kubernetes: { port: 8080, template: { spec: { containers } } } },
    }),
    metadata: { name },
  };
}

const LIST_PODS = { apiGroups: [''], resources: ['pods'], verbs: ['list'] };
const FORWARD = { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] };

beforeAll(async () => {
  await goProgram('port-forwards to Pods', {
    name: 'kubelet-streams',
    module: 'test/kubelet-streams',
    package: '.',
  });
}, 300_000);

test('verbs work through a kubeconfig, for who may list Pods and forward ports, also when a Pod goes', async () => {
  const world = await World.create();
  const { api, namespace, kubeconfig } = world.place;
  await world.startReplicas(2);
  const operator = await world.kubeconfigOf('operator', [LIST_PODS, FORWARD]);
  const through = ['--kubeconfig', operator, '--context', 'shop'];
  const run = (...args: readonly string[]): Promise<Finished> => runCli([...args, ...through]);

  const create = (name: string): Promise<unknown> =>
    api.create(VERSIONED_SERVICE, { namespace }, serviceOf(name));
  await create('manager');
  await eventually(async () => (await run('get', 'services')).stdout.includes('manager'), {
    what: 'the service in the answer',
    within: WITHIN,
  });
  const frozen = await run('freeze', 'manager', '--reason', 'a holiday', '--actor', 'ada@desk');
  expect(frozen).toMatchObject({ code: 0, stderr: '' });
  const events = await run('get', 'events', 'manager');
  expect(events.stdout).toMatch(/ada@desk.*a holiday/);

  // From the environment too, with an own namespace.
  const env = { SWITCHYARD_KUBECONFIG: kubeconfig, SWITCHYARD_NAMESPACE: namespace };
  expect(await runCli(['get', 'services', '-o', 'name'], { env })).toMatchObject({ code: 0 });

  // The Pod that is asked goes: a watch says so, reaches the other one, and goes on.
  const watching = startCli(['get', 'services', '-w', ...through]);
  await eventually(() => watching.output().includes('manager'), { what: 'the first rows', within: WITHIN });
  const [asked = ''] = await world.readyPods();
  await api.delete(POD, { namespace, name: asked });
  await eventually(
    async () => (await world.place.all(POD)).every(({ metadata }) => metadata.name !== asked),
    { what: 'the end of the Pod', within: WITHIN },
  );
  await create('billing');
  await eventually(() => watching.output().includes('billing'), { what: 'a new row', within: WITHIN });
  watching.stop('SIGINT');
  const { code, stderr } = await watching.finished;
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /lost the connection to the namespace of context shop of .*; trying again\nconnected again/,
  );
}, 180_000);

test('what is in the way is told with what would move it out', async () => {
  const world = await World.create();
  const { api, namespace, kubeconfig } = world.place;
  const get = ['get', 'services'];
  const refused = (code: number, stderr: RegExp) => ({
    code,
    stdout: '',
    stderr: expect.stringMatching(stderr) as string,
  });

  expect(await runCli([...get, '--kubeconfig', kubeconfig, '--context', 'prod'])).toEqual(
    refused(2, /^error: the kubeconfig has no context "prod"; it has test\n/),
  );
  expect(await runCli([...get, '--kubeconfig', '/nowhere'])).toEqual(
    refused(2, /^error: the kubeconfig \/nowhere cannot be read: /),
  );
  const asAdmin = ['--kubeconfig', kubeconfig, '-n', namespace];
  expect(await runCli([...get, ...asAdmin])).toEqual(
    refused(1, new RegExp(`^error: there is no Pod of the controller in namespace ${namespace}\n`)),
  );

  // A Pod that is ready and is no controller: its port is closed. Nobody takes it for an answer.
  const labels = { 'app.kubernetes.io/name': 'switchyard', 'app.kubernetes.io/component': 'controller' };
  const program = resolve('test/support/programs/pod.ts');
  const env = [{ name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }];
  await api.create(
    POD,
    { namespace },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'controller', labels },
      spec: {
        terminationGracePeriodSeconds: 5,
        containers: [{ name: 'controller', image: 'none', command: [execPath, program], env }],
      },
    },
  );
  await eventually(async () => (await world.readyPods()).length === 1, { what: 'the Pod', within: WITHIN });
  expect(await runCli([...get, ...asAdmin])).toEqual(
    refused(1, /port 18001 of Pod controller ended: .*connection refused/),
  );

  const rule = /resources: \[pods\/portforward\], verbs: \[get, create\]/;
  const through = async (name: string, rules: readonly object[]): Promise<Finished> =>
    runCli([...get, '--context', 'shop', '--kubeconfig', await world.kubeconfigOf(name, rules)]);
  const nobody = await through('nobody', []);
  expect(nobody).toEqual(refused(1, /cannot list resource "pods" in API group "" in the namespace/));
  expect(nobody.stderr).toMatch(rule);
  const viewer = await through('viewer', [LIST_PODS]);
  expect(viewer).toEqual(refused(1, /cannot \w+ resource "pods\/portforward" in API group ""/));
  expect(viewer.stderr).toMatch(rule);
}, 120_000);

function core(kind: string, plural: string): Kind {
  return { group: '', version: 'v1', kind, plural, scope: 'Namespaced' };
}

function rbac(kind: string, plural: string): Kind {
  return { group: 'rbac.authorization.k8s.io', version: 'v1', kind, plural, scope: 'Namespaced' };
}
