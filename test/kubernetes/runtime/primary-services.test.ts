// The Service that leads to the primary: moved when told, to a version that can answer, and never taken from somebody else.
import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { SERVICE } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import type { Service } from '../../../src/adapters/kubernetes/runtime/objects.ts';
import { KubernetesPrimaryServices } from '../../../src/adapters/kubernetes/runtime/primary-services.ts';
import type { KubernetesRuntimeSpec } from '../../../src/model/kubernetes.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { PrimaryServiceError } from '../../../src/ports/primary-service.ts';
import { leadsTo } from '../../../src/rollout/primary-service.ts';
import { podSpec, runtimeWorld } from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const V2 = versionName('v2');
const PATIENCE = { timeout: 30_000, interval: 50 };

async function world() {
  const runtimes = await runtimeWorld();
  const { runtime, caches } = await runtimes.open();
  const { api, namespace } = runtimes;
  let isLeader = true;
  const services = new KubernetesPrimaryServices({
    api,
    namespace,
    caches,
    clock: systemClock,
    random: () => 0,
    isLeader: () => isLeader,
    ownerOf: () => undefined,
  });
  onTestFinished(() => services.close());
  return {
    ...runtimes,
    runtime,
    caches,
    services,
    follow: () => {
      isLeader = false;
    },
    async ready(spec: KubernetesRuntimeSpec, versions: readonly (typeof V1)[]) {
      await runtime.want({ service: MANAGER, spec, versions });
      await vi.waitFor(() => {
        const ready = runtime.instances(MANAGER).filter(({ state }) => state === 'Ready');
        expect(ready.map(({ version }) => version).toSorted()).toEqual(versions);
      }, PATIENCE);
    },
    /** The version that the Service leads to; undefined where it is not there, or not ours. */
    leads: (spec: KubernetesRuntimeSpec) => leadsTo(services.standing(MANAGER, spec)),
    problem: (spec: KubernetesRuntimeSpec) => services.standing(MANAGER, spec).problem,
    selected: async (name = 'manager') => (await api.get<Service>(SERVICE, { namespace, name })).spec,
    edit: (name: string, body: object) =>
      api.json({
        method: 'PATCH',
        path: pathOf(SERVICE, { namespace, name }),
        query: { fieldManager: 'kubectl-edit' },
        body,
        contentType: 'application/merge-patch+json',
      }),
  };
}

test('a Service leads to the version that it was moved to, and adds no instance', async () => {
  const w = await world();
  const spec = podSpec();
  await w.ready(spec, [V1, V2]);
  expect(w.leads(spec)).toBeUndefined();
  await w.services.movePrimary({ service: MANAGER, spec, version: V1 });
  expect(await w.selected()).toMatchObject({
    selector: { 'switchyard.dev/service': 'manager', 'switchyard.dev/version': 'v1' },
    ports: [{ port: 8080, targetPort: 8080 }],
  });
  await vi.waitFor(() => expect(w.leads(spec)).toBe(V1), PATIENCE);
  await w.services.movePrimary({ service: MANAGER, spec, version: V2 });
  expect((await w.selected())?.selector).toMatchObject({ 'switchyard.dev/version': 'v2' });
  const asked = w.api.asked.length;
  await w.services.movePrimary({ service: MANAGER, spec, version: V2 });
  expect(w.api.asked.slice(asked)).toEqual([expect.stringMatching('^GET ')]);
  // Slices of this Service are in the caches by now: they have the same Pods.
  await vi.waitFor(() => {
    const slices = w.caches.slices.of(MANAGER);
    expect(slices.map(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'])).toContain(
      'manager',
    );
  }, PATIENCE);
  expect(w.runtime.instances(MANAGER)).toHaveLength(2);
  expect(w.runtime.problems(MANAGER)).toEqual([]);
});

test('a move to a version that cannot answer is refused, and the Service stays', async () => {
  const w = await world();
  const spec = podSpec();
  await w.ready(spec, [V1]);
  await w.services.movePrimary({ service: MANAGER, spec, version: V1 });
  await expect(w.services.movePrimary({ service: MANAGER, spec, version: V2 })).rejects.toThrow(
    new PrimaryServiceError('Service manager stays where it is: v2 of manager has no ready endpoint'),
  );
  expect((await w.selected())?.selector).toMatchObject({ 'switchyard.dev/version': 'v1' });
  const problem = 'Service manager stays where it is: v2 of manager has no ready endpoint';
  await vi.waitFor(() => {
    const standing = w.services.standing(MANAGER, spec);
    expect(standing).toEqual({ kind: 'Leads', name: 'manager', version: V1, problem });
  }, PATIENCE);
});

test('who follows it is called back when it leads elsewhere, and only then', async () => {
  const w = await world();
  const spec = podSpec();
  await w.ready(spec, [V1, V2]);
  const heard: (string | undefined)[] = [];
  w.services.subscribe(() => heard.push(w.leads(spec)));
  await w.services.movePrimary({ service: MANAGER, spec, version: V1 });
  await vi.waitFor(() => expect(heard).toEqual([V1]), PATIENCE);
  await w.services.movePrimary({ service: MANAGER, spec, version: V2 });
  await vi.waitFor(() => expect(heard).toEqual([V1, V2]), PATIENCE);
});

test('a Service that somebody changes or deletes leads to the primary again, also while it has no ready endpoint', async () => {
  const w = await world();
  const spec = podSpec();
  await w.ready(spec, [V1]);
  await w.services.movePrimary({ service: MANAGER, spec, version: V1 });
  await w.edit('manager', { spec: { selector: { 'switchyard.dev/version': 'v2' } } });
  await vi.waitFor(async () => {
    expect((await w.selected())?.selector).toMatchObject({ 'switchyard.dev/version': 'v1' });
  }, PATIENCE);
  await w.runtime.want({ service: MANAGER, spec, versions: [] });
  await vi.waitFor(() => expect(w.runtime.instances(MANAGER)).toEqual([]), PATIENCE);
  await w.api.delete(SERVICE, { namespace: w.namespace, name: 'manager' });
  await vi.waitFor(async () => {
    expect((await w.selected())?.selector).toMatchObject({ 'switchyard.dev/version': 'v1' });
  }, PATIENCE);
  expect(w.problem(spec)).toBe('');
});

test('a Service of somebody else is left alone, and told', async () => {
  const w = await world();
  await w.ready(podSpec(), [V1]);
  const spec = { selector: { app: 'manager' }, ports: [{ port: 80 }] };
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'manager', namespace: w.namespace },
    spec,
  };
  await w.api.create(SERVICE, { namespace: w.namespace }, object);
  const refused =
    "Service manager is not Switchyard's for manager: give another name in spec.runtime.kubernetes.primaryService, take that Service away, or have it taken over with `switchyard adopt`";
  await expect(w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 })).rejects.toThrow(
    new PrimaryServiceError(refused),
  );
  expect((await w.selected())?.selector).toEqual({ app: 'manager' });
  await vi.waitFor(() => {
    const standing = w.services.standing(MANAGER, podSpec());
    expect(standing).toEqual({ kind: 'NotOurs', name: 'manager', problem: refused });
  }, PATIENCE);

  const renamed = podSpec({ primaryService: 'manager-primary' });
  await w.services.movePrimary({ service: MANAGER, spec: renamed, version: V1 });
  await vi.waitFor(() => expect(w.leads(renamed)).toBe(V1), PATIENCE);
  // Somebody takes the name between two looks.
  await w.api.delete(SERVICE, { namespace: w.namespace, name: 'manager-primary' });
  await w.edit('manager', { metadata: { labels: {} } });
  await vi.waitFor(() => expect(w.leads(renamed)).toBe(V1), PATIENCE);
  await w.services.forget(MANAGER);
  await vi.waitFor(() => expect(w.leads(renamed)).toBeUndefined(), PATIENCE);
  const names = (await w.all<KubernetesObject>(SERVICE)).map(({ metadata }) => metadata.name);
  expect(names).toContain('manager');
  expect(names).not.toContain('manager-primary');
});

/** A Service of somebody else, with two ports. */
async function anothersService(w: Awaited<ReturnType<typeof world>>): Promise<Service> {
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'metrics', port: 9100 },
  ];
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'manager', namespace: w.namespace, labels: { team: 'pipelines' } },
    spec: { selector: { app: 'manager' }, ports },
  };
  return w.api.create<Service>(SERVICE, { namespace: w.namespace }, object);
}

const GIVEN = { metadata: { annotations: { 'switchyard.dev/adopt-for': 'manager' } } };
const OTHER_VERSION = { selector: { 'switchyard.dev/service': 'manager', 'switchyard.dev/version': 'v2' } };

test('a Service that its owner has given is led to the primary with its addresses and ports, and given back as it was', async () => {
  const w = await world();
  const told: string[] = [];
  onTestFinished(w.services.subscribe((service) => told.push(service)));
  await w.ready(podSpec(), [V1, V2]);
  const before = await anothersService(w);
  await w.edit('manager', GIVEN);
  await vi.waitFor(() => expect(told).toEqual([MANAGER]), PATIENCE);
  await w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 });
  await w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V2 });
  expect(await w.selected()).toEqual({ ...before.spec, ...OTHER_VERSION });
  await vi.waitFor(() => expect(w.leads(podSpec())).toBe(V2), PATIENCE);
  const led = await w.api.get<Service>(SERVICE, { namespace: w.namespace, name: 'manager' });
  expect(led.metadata.ownerReferences).toBeUndefined();
  expect(led.metadata.labels).toMatchObject({ team: 'pipelines' });
  await w.edit('manager', { spec: { selector: { 'switchyard.dev/version': 'v1' } } });
  await vi.waitFor(async () => expect(await w.selected()).toMatchObject(OTHER_VERSION), PATIENCE);

  await w.services.forget(MANAGER);
  const back = await w.api.get<Service>(SERVICE, { namespace: w.namespace, name: 'manager' });
  expect(back.spec).toEqual(before.spec);
  expect(back.metadata).toMatchObject({ uid: before.metadata.uid, labels: { team: 'pipelines' } });
  expect(JSON.stringify([back.metadata.labels, back.metadata.annotations])).not.toMatch(/switchyard/);
});

test('a Service that its owner takes back is left as it is, and told', async () => {
  const w = await world();
  await w.ready(podSpec(), [V1]);
  await anothersService(w);
  await w.edit('manager', GIVEN);
  await w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 });
  const selector = { app: 'manager', 'switchyard.dev/service': null, 'switchyard.dev/version': null };
  const annotations = { 'switchyard.dev/adopt-for': null };
  await w.edit('manager', { metadata: { annotations }, spec: { selector } });
  await vi.waitFor(
    () => expect(w.services.standing(MANAGER, podSpec())).toMatchObject({ kind: 'NotOurs' }),
    PATIENCE,
  );
  expect((await w.selected())?.selector).toEqual({ app: 'manager' });
});

test('a Service that was given and has no port of the version stays where it is', async () => {
  const w = await world();
  await w.ready(podSpec({ port: 8080 }), [V1]);
  await anothersService(w);
  const ports = [{ name: 'http', port: 80, targetPort: 8081 }];
  await w.edit('manager', { ...GIVEN, spec: { ports } });
  await expect(w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 })).rejects.toThrow(
    new PrimaryServiceError(
      'Service manager stays where it is: it leads to port 8081, and the version has 8080: write the same in spec.runtime.kubernetes.port',
    ),
  );
  expect((await w.selected())?.selector).toEqual({ app: 'manager' });
});

test('another name in the spec moves the Service, and the old one goes', async () => {
  const w = await world();
  await w.ready(podSpec(), [V1]);
  await w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 });
  await vi.waitFor(() => expect(w.leads(podSpec())).toBe(V1), PATIENCE);
  const renamed = podSpec({ primaryService: 'manager-primary' });
  await w.services.movePrimary({ service: MANAGER, spec: renamed, version: V1 });
  await vi.waitFor(async () => {
    const names = (await w.all<KubernetesObject>(SERVICE)).map(({ metadata }) => metadata.name);
    expect(names).toContain('manager-primary');
    expect(names).not.toContain('manager');
  }, PATIENCE);
});

test('a replica that does not lead moves nothing', async () => {
  const w = await world();
  await w.ready(podSpec(), [V1]);
  w.follow();
  await expect(w.services.movePrimary({ service: MANAGER, spec: podSpec(), version: V1 })).rejects.toThrow(
    'another replica leads',
  );
  await expect(w.selected()).rejects.toThrow(/not found/);
});
