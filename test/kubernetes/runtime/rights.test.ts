// The rights that docs/runtimes.md lists are enough, on an API server that checks them.
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { CONFIG_MAP, DEPLOYMENT } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type Kind, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { Caches } from '../../../src/adapters/kubernetes/runtime/caches.ts';
import { KubernetesPrimaryServices } from '../../../src/adapters/kubernetes/runtime/primary-services.ts';
import { KubernetesRuntime } from '../../../src/adapters/kubernetes/runtime/runtime.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { clientConfig } from '../../support/kubernetes/client-config.ts';
import { container, podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const PATIENCE = { timeout: 30_000, interval: 50 };
const USER = 'switchyard-in-tests';

const rbac = (kind: string, plural: string): Kind => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind,
  plural,
  scope: 'Namespaced',
});

/** The rules of a Role, as the table of the page has them. */
function documentedRules(): readonly object[] {
  const page = readFileSync('docs/runtimes.md', 'utf8');
  const [, table = ''] = /\| objects \| verbs \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(page) ?? [];
  const rows = table.trim().split('\n');
  return rows.flatMap((row) => {
    const [, objects = '', verbs = ''] = row.split('|');
    return objects.split(';').map((part) => {
      const [, group = ''] = /\(`(.*)`\)/.exec(part) ?? [];
      const resources = part
        .replace(/\(.*\)/, '')
        .split(',')
        .map((one) => one.trim());
      return { apiGroups: [group], resources, verbs: verbs.split(',').map((verb) => verb.trim()) };
    });
  });
}

test('the rights that are documented are enough', async () => {
  const world = await runtimeWorld();
  const { namespace } = world;
  const metadata = { name: USER, namespace };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const rules = documentedRules();
  expect(rules.length).toBeGreaterThan(3);
  await world.api.create(rbac('Role', 'roles'), { namespace }, { apiVersion, kind: 'Role', metadata, rules });
  await world.api.create(
    rbac('RoleBinding', 'rolebindings'),
    { namespace },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: USER },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }],
    },
  );
  const config = clientConfig(world.kubeconfig);
  const users = config.users.map((user) => ({ ...user, impersonateUser: USER }));
  const { clusters, contexts, currentContext } = config;
  config.loadFromOptions({ clusters, contexts, currentContext, users });
  const api = new KubernetesApi(config);
  await expect(api.json({ method: 'GET', path: '/api/v1/nodes' })).rejects.toThrow(USER);

  const common = { api, namespace, clock: systemClock, random: () => 0 };
  const caches = new Caches(common);
  onTestFinished(() => caches.stop());
  await caches.start();
  const leading = { ...common, caches, isLeader: () => true, ownerOf: () => undefined };
  const runtime = new KubernetesRuntime(leading);
  onTestFinished(() => runtime.close());
  const services = new KubernetesPrimaryServices(leading);
  onTestFinished(() => services.close());

  const settings = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace },
    data: { setting: 'a' },
  };
  await world.api.create(CONFIG_MAP, { namespace }, settings);
  const env = [{ name: 'SETTING', valueFrom: { configMapKeyRef: { name: 'settings', key: 'setting' } } }];
  const spec = podSpec({ autoscaling: { min: 1, max: 2, cpuPercent: 80 } }, container({}, env));
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  await vi.waitFor(() => expect(runtime.instances(MANAGER)[0]?.state).toBe('Ready'), PATIENCE);
  await services.movePrimary({ service: MANAGER, spec, version: V1 });

  // What is put right by a replacement, and what is handed over to an autoscaler.
  const name = caches.deployments.of(MANAGER)[0]?.metadata.name ?? '';
  await world.api.json({
    method: 'PATCH',
    path: pathOf(DEPLOYMENT, { namespace, name }),
    query: { fieldManager: 'kubectl-edit' },
    body: {
      spec: { template: { spec: { containers: [{ name: 'added', image: 'a', command: ['sleep', '60'] }] } } },
    },
    contentType: 'application/strategic-merge-patch+json',
  });
  await vi.waitFor(async () => {
    const { spec: now } = await world.api.get<{
      readonly apiVersion: string;
      readonly kind: string;
      readonly metadata: { readonly name: string };
      readonly spec: { readonly template: { readonly spec: { readonly containers: readonly unknown[] } } };
    }>(DEPLOYMENT, { namespace, name });
    expect(now.template.spec.containers).toHaveLength(1);
  }, PATIENCE);
  await runtime.want({
    service: MANAGER,
    spec: podSpec({ replicas: 1 }, container({}, env)),
    versions: [V1],
  });
  await vi.waitFor(() => expect(caches.autoscalers.of(MANAGER)).toEqual([]), PATIENCE);
  expect(runtime.problems(MANAGER)).toEqual([]);
  await services.forget(MANAGER);
  await runtime.forget(MANAGER);
  await vi.waitFor(() => expect(runtime.services()).toEqual([]), PATIENCE);
});
