// The store in a namespace of a real API server, as its operator has it: the rights that it needs, a restore by kubectl, and the
// size that it is made for.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { findTool } from '../../../scripts/tools.ts';
import { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import type { Kind } from '../../../src/adapters/kubernetes/client/objects.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { type StoredObject, serverObjects } from '../../../src/adapters/kubernetes/store/objects.ts';
import { serviceName } from '../../../src/model/names.ts';
import { eventually } from '../../support/eventually.ts';
import { followedView } from '../../support/kubernetes/routing-views.ts';
import { type StateNamespace, stateNamespace } from '../../support/kubernetes/state-namespace.ts';
import { openedStore } from '../../support/kubernetes/stores.ts';
import { notRun } from '../../support/not-run.ts';
import { temporaryFolder } from '../../support/store-folder.ts';
import { recordWith, rolloutRecord } from '../../support/stored-history.ts';
import { newEvent, proxySeen, serviceRecord } from '../../support/stored-records.ts';
import { watcherSeen } from '../../support/watchers.ts';

const rollout = rolloutRecord({ service: 'manager' });
const roll = { kind: 'counted', fixedAt: rollout.since, tenants: [] } as const;
const CHANGE = {
  services: [recordWith(rollout), serviceRecord({ name: 'other' })],
  rolls: [{ rollout: rollout.id, roll }],
  nextPublication: 50,
  events: [newEvent({ action: 'Apply' })],
};

/** Somebody of the namespace who may do nothing but this. */
async function accountWith(
  { api, namespace, kubeconfig }: StateNamespace,
  rule: object,
): Promise<KubernetesApi> {
  const rbac = (kind: string, plural: string): Kind => ({
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind,
    plural,
    scope: 'Namespaced',
  });
  const account: Kind = {
    group: '',
    version: 'v1',
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    scope: 'Namespaced',
  };
  const metadata = { name: 'switchyard', namespace };
  await api.create(account, { namespace }, { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await api.create(
    rbac('Role', 'roles'),
    { namespace },
    { apiVersion, kind: 'Role', metadata, rules: [rule] },
  );
  await api.create(
    rbac('RoleBinding', 'rolebindings'),
    { namespace },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'switchyard' },
      subjects: [{ kind: 'ServiceAccount', name: 'switchyard', namespace }],
    },
  );
  const { status } = await api.json<{ readonly status: { readonly token: string } }>({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/switchyard/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
  });
  const admin = new KubeConfig();
  admin.loadFromFile(kubeconfig);
  const cluster = admin.getCurrentCluster();
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [cluster],
    users: [{ name: 'switchyard', token: status.token }],
    contexts: [{ name: 'test', cluster: cluster?.name, user: 'switchyard' }],
    currentContext: 'test',
  });
  return new KubernetesApi(config);
}

const RULE = {
  apiGroups: ['switchyard.dev'],
  resources: ['serviceroutings', 'controllerstates'],
  verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'],
};

test('a leader and a follower need six verbs on two kinds of their namespace, and no others', async () => {
  const place = await stateNamespace();
  const api = await accountWith(place, RULE);
  const objects = serverObjects(api, place.namespace);
  // The rights of an account come into force a moment after they were given.
  await eventually(() => objects.list(SERVICE_ROUTING, AbortSignal.timeout(5_000)).then(() => true));
  const { view, shown } = followedView({ api, namespace: place.namespace });
  await view.start();
  const { store, told } = await openedStore(objects);
  await store.commit(CHANGE);
  await store.saveWatchers({ saved: [watcherSeen()], forgotten: [] });
  await store.saveProxies([proxySeen({ id: 'gateway' })]);
  await store.commit({ deletions: [{ name: serviceName('manager'), generation: 1 }] });
  await openedStore(objects, { term: 1 });
  await eventually(() => shown.at(-1)?.join() === 'other 1');
  expect(told.troubles).toEqual([]);
  expect(view.trouble).toBe('');
});

test('where a right is missing the message has it', async () => {
  const place = await stateNamespace();
  const api = await accountWith(place, { ...RULE, verbs: ['get', 'list', 'watch'] });
  const objects = serverObjects(api, place.namespace);
  await eventually(() => objects.list(SERVICE_ROUTING, AbortSignal.timeout(5_000)).then(() => true));
  await expect(openedStore(objects)).rejects.toThrow(
    /the API server refuses ControllerState counters: .*cannot create resource "controllerstates"/,
  );
});

test('what was backed up is restored by kubectl, as the page says', async () => {
  const tool = findTool('kubectl');
  const place = await stateNamespace();
  if (tool.kind === 'missing') return notRun('the restore by kubectl', tool.why);
  const kubectl = (...words: readonly string[]): string =>
    execFileSync(tool.path, ['--kubeconfig', place.kubeconfig, '--namespace', place.namespace, ...words], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: temporaryFolder() },
    });
  const first = await openedStore(place.objects);
  await first.store.commit(CHANGE);
  await first.store.saveWatchers({ saved: [watcherSeen()], forgotten: [] });
  const file = join(temporaryFolder(), 'backup.json');
  await first.store.backup(file);
  await first.store.commit({ services: [serviceRecord({ name: 'other', generation: 2 })] });
  await first.store.close();

  expect(kubectl('get', 'serviceroutings')).toMatch(
    /NAME +PRIMARY +CANDIDATE +WEIGHT +GENERATION +PUBLICATION +AGE\nmanager +v1 +v2 +10 +1 +0/,
  );
  expect(kubectl('get', 'controllerstates')).toMatch(/counters +Counters +2 +10050 +0/);
  kubectl('delete', 'serviceroutings,controllerstates', '--all');
  kubectl('create', '-f', file);
  const { store, told } = await openedStore(place.objects, { term: 1 });
  expect((await store.load()).services).toEqual(CHANGE.services);
  expect(await store.roll(rollout.id)).toEqual(roll);
  expect(await store.watchers()).toEqual([watcherSeen()]);
  expect(told.troubles).toEqual([]);
});

test('ten thousand watchers and two hundred services are written, taken over and read', async () => {
  const { objects } = await stateNamespace();
  const { store } = await openedStore(objects);
  const services = Array.from({ length: 200 }, (_, number) => serviceRecord({ name: `service-${number}` }));
  await store.commit({ services });
  const saved = Array.from({ length: 10_000 }, (_, number) =>
    watcherSeen({
      id: `box-${number}`,
      tenant: `tenant-${number % 900}`,
      service: `service-${number % 200}`,
    }),
  );
  await store.saveWatchers({ saved, forgotten: [] });
  const { store: next } = await openedStore(objects, { term: 1 });
  expect(await next.watchers()).toHaveLength(10_000);
  expect((await next.load()).services).toHaveLength(200);
  const states = await objects.list<StoredObject>(CONTROLLER_STATE, AbortSignal.timeout(30_000));
  expect(states).toHaveLength(65);
  expect(Math.max(...states.map((state) => JSON.stringify(state).length))).toBeLessThan(200_000);
});
