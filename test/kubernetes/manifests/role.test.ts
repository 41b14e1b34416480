// What the controller may do is what this table says, no less and no more, as a real API server decides it; and it is enough
// for what the controller does first.
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import type { KubernetesApi } from '../../../src/adapters/kubernetes/client/api.ts';
import { POD, SECRET, SERVICE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { LeaderElection } from '../../../src/adapters/kubernetes/client/leader-election.ts';
import { type Kind, type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { VERSIONED_SERVICE } from '../../../src/adapters/kubernetes/custom-resources.ts';
import { eventually } from '../../support/eventually.ts';
import { documentWith } from '../../support/kubernetes/bad-services.ts';
import { applyInstallation } from '../../support/kubernetes/installed.ts';
import { apiAs, type Deed, mayDo } from '../../support/kubernetes/service-account.ts';
import { type TestNamespace, testNamespace } from '../../support/kubernetes/shared-cluster.ts';

const ACCOUNT = 'switchyard-controller';
const LEASE_NAME = 'switchyard-controller';
const READ = ['get', 'list', 'watch'];
const ALL = [...READ, 'create', 'update', 'patch', 'delete'];
const VERBS = [...ALL, 'deletecollection', 'impersonate', 'bind', 'escalate'];

/** What is written whole, never applied. */
const KEPT = [...READ, 'create', 'update', 'delete'];

/** By `resource.group`. Leases are apart: most verbs are for one of them only. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'versionedservices.switchyard.dev': ['list', 'watch', 'patch'],
  'versionedservices/status.switchyard.dev': ['update'],
  'serviceroutings.switchyard.dev': KEPT,
  'controllerstates.switchyard.dev': KEPT,
  'rollouts.switchyard.dev': KEPT,
  'rollouts/status.switchyard.dev': ['update'],
  'deployments.apps': ALL,
  'controllerrevisions.apps': ALL,
  'services.': ALL,
  'horizontalpodautoscalers.autoscaling': ALL,
  'poddisruptionbudgets.policy': ALL,
  'httproutes.gateway.networking.k8s.io': ['list', 'watch', 'create', 'patch', 'delete'],
  'configmaps.': ALL,
  'secrets.': ALL,
  'endpointslices.discovery.k8s.io': ['list', 'watch'],
  'pods.': ['list', 'watch'],
  'events.events.k8s.io': ['create', 'patch'],
  'leases.coordination.k8s.io': ['create'],
};

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly { readonly name: string }[];
}

/** All resources that the API server has, and those of ours that it may not have yet, by `resource.group`. */
async function resourcesOf({
  api,
}: TestNamespace): Promise<readonly (readonly [group: string, resource: string])[]> {
  const get = <Answer>(path: string): Promise<Answer> => api.json<Answer>({ method: 'GET', path });
  const { groups } = await get<{ groups: { preferredVersion: { groupVersion: string } }[] }>('/apis');
  const paths = [
    '/api/v1',
    ...groups.map(({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`),
  ];
  const lists = await Promise.all(paths.map((path) => get<ResourceList>(path)));
  const served = lists.flatMap(({ groupVersion, resources }) => {
    const group = groupVersion.includes('/') ? (groupVersion.split('/')[0] ?? '') : '';
    return resources.map(({ name }) => `${name}.${group}`);
  });
  return [...new Set([...served, ...Object.keys(NEEDS)])].map((name) => {
    const dot = name.indexOf('.');
    return [name.slice(dot + 1), name.slice(0, dot)];
  });
}

async function installedNamespace(): Promise<TestNamespace> {
  const place = await testNamespace();
  await applyInstallation(place, { flags: ['--overlay', 'dev', '--replicas', '0'] });
  return place;
}

test('the Role allows what is listed here and nothing else', { timeout: 300_000 }, async () => {
  const place = await installedNamespace();
  const { namespace } = place;
  const resources = await resourcesOf(place);
  expect(resources.length).toBeGreaterThan(100);
  const allowed: Record<string, string[]> = {};
  for (const [group, resource] of resources) {
    const answers = await Promise.all(
      VERBS.map(async (verb) =>
        (await mayDo(place, ACCOUNT, { namespace, group, resource, verb })) ? [verb] : [],
      ),
    );
    // Everybody may ask what they may do.
    if (group === 'authorization.k8s.io' || group === 'authentication.k8s.io') continue;
    if (answers.flat().length > 0) allowed[`${resource}.${group}`] = answers.flat().toSorted();
  }
  const needed = Object.entries(NEEDS).map(([name, verbs]) => [name, verbs.toSorted()]);
  expect(allowed).toEqual(Object.fromEntries(needed));
});

const lease = { group: 'coordination.k8s.io', resource: 'leases' };
const secrets = { group: '', resource: 'secrets' };

/** What a matrix of kinds and verbs does not ask. */
const ASKED: readonly (readonly [what: string, deed: Partial<Deed>, answer: boolean])[] = [
  ['renew its own Lease', { ...lease, name: LEASE_NAME, verb: 'update' }, true],
  ["renew another's Lease", { ...lease, name: 'another', verb: 'update' }, false],
  ['delete its Lease', { ...lease, name: LEASE_NAME, verb: 'delete' }, false],
  ['read secrets of its namespace', { ...secrets, verb: 'get' }, true],
  ['read secrets of another namespace', { ...secrets, namespace: 'default', verb: 'get' }, false],
  ['read secrets of all namespaces', { ...secrets, namespace: '', verb: 'list' }, false],
  ['run in Pods', { group: '', resource: 'pods/exec', verb: 'create' }, false],
  ['become somebody else', { group: '', resource: 'serviceaccounts/token', verb: 'create' }, false],
  ['give itself rights', { group: 'rbac.authorization.k8s.io', resource: 'roles', verb: 'patch' }, false],
];

test('it may renew its own Lease only, and has no way to what is not its own', async () => {
  const place = await installedNamespace();
  const plain: Deed = { namespace: place.namespace, group: '', resource: '', verb: '' };
  const answers = ASKED.map(async ([what, deed]) => [
    what,
    await mayDo(place, ACCOUNT, { ...plain, ...deed }),
  ]);
  expect(await Promise.all(answers)).toEqual(ASKED.map(([what, , answer]) => [what, answer]));
});

test('with its rights a replica becomes the leader and renews', async () => {
  const place = await installedNamespace();
  const troubles: unknown[] = [];
  const election = new LeaderElection({
    api: await apiAs(place, ACCOUNT),
    namespace: place.namespace,
    name: LEASE_NAME,
    identity: 'a',
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    onChange: () => undefined,
    onTrouble: (error) => troubles.push(error),
  });
  onTestFinished(() => election.stop());
  election.start();
  await eventually(() => election.leadership.kind === 'Leading');
  const renewed = async (): Promise<unknown> =>
    (
      await place.api.json<{ spec: { renewTime: string } }>({
        method: 'GET',
        path: `/apis/coordination.k8s.io/v1/namespaces/${place.namespace}/leases/${LEASE_NAME}`,
      })
    ).spec.renewTime;
  const first = await renewed();
  await eventually(async () => (await renewed()) !== first);
  expect(troubles).toEqual([]);
});

test("it reads a user's wish and says what became of it, by its status only", async () => {
  const place = await installedNamespace();
  const { namespace } = place;
  await place.api.create(VERSIONED_SERVICE, { namespace }, documentWith({}));
  const ours = await apiAs(place, ACCOUNT);
  const { items } = await ours.json<{ items: KubernetesObject[] }>({
    method: 'GET',
    path: pathOf(VERSIONED_SERVICE, { namespace }),
  });
  const [read] = items;
  if (read === undefined) throw new Error('there is no service');
  const object = { ...read, apiVersion: 'switchyard.dev/v1alpha1', kind: 'VersionedService' };
  const at = { namespace, name: 'manager' };
  const status = { ...object, status: { primary: 'v1' } };
  expect(await ours.replace(VERSIONED_SERVICE, { ...at, subresource: 'status' }, status)).toMatchObject({
    status: { primary: 'v1' },
  });
  await expect(ours.replace(VERSIONED_SERVICE, at, object)).rejects.toMatchObject({ code: 403 });
  await expect(ours.delete(VERSIONED_SERVICE, at)).rejects.toMatchObject({ code: 403 });
});

test('what it must not do is refused', async () => {
  const place = await installedNamespace();
  const ours = await apiAs(place, ACCOUNT);
  const forbidden = (deed: Promise<unknown>) => expect(deed).rejects.toMatchObject({ code: 403 });
  await forbidden(list(ours, SECRET, 'default'));
  await forbidden(list(ours, SERVICE, 'kube-system'));
  await forbidden(ours.delete(POD, { namespace: place.namespace, name: 'a' }));
});

function list(api: KubernetesApi, kind: Kind, namespace: string): Promise<unknown> {
  return api.json({ method: 'GET', path: pathOf(kind, { namespace }) });
}
