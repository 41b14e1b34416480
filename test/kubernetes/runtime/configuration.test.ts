// A version keeps the ConfigMaps and Secrets that it was made with, whatever becomes of the originals.
import { describe, expect, test, vi } from 'vitest';
import { CONFIG_MAP, DEPLOYMENT, POD, SECRET } from '../../../src/adapters/kubernetes/client/kinds.ts';
import type { Kind } from '../../../src/adapters/kubernetes/client/objects.ts';
import { copyName } from '../../../src/adapters/kubernetes/names.ts';
import type { Configuration } from '../../../src/adapters/kubernetes/runtime/objects.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { Runtime } from '../../../src/ports/runtime.ts';
import {
  container,
  podSpec,
  type RuntimeWorld,
  runtimeWorld,
} from '../../support/kubernetes/runtime-world.ts';

const MANAGER = serviceName('manager');
const V1 = versionName('v1');
const V2 = versionName('v2');
const PATIENCE = { timeout: 30_000, interval: 50 };

const spec = podSpec(
  {},
  container({}, [
    { name: 'SETTING', valueFrom: { secretKeyRef: { name: 'settings', key: 'setting' } } },
    { name: 'LIMIT', valueFrom: { configMapKeyRef: { name: 'limits', key: 'limit' } } },
    { name: 'EXTRA', valueFrom: { configMapKeyRef: { name: 'extras', key: 'extra', optional: true } } },
  ]),
);
const nameOfCopy = (kind: 'ConfigMap' | 'Secret', name: string, version = V1): string =>
  copyName({ service: MANAGER, version, kind, name });

async function put(
  { api, namespace }: RuntimeWorld,
  kind: Kind,
  name: string,
  content: object,
): Promise<void> {
  const object = { apiVersion: 'v1', kind: kind.kind, metadata: { name, namespace }, ...content };
  await api.apply(kind, { namespace, name }, { object, manager: 'switchyard-cli', force: true });
}

const putSetting = (world: RuntimeWorld, setting: string): Promise<void> =>
  put(world, SECRET, 'settings', { stringData: { setting } });
const putLimit = (world: RuntimeWorld, limit: string): Promise<void> =>
  put(world, CONFIG_MAP, 'limits', { data: { limit } });

async function ready(runtime: Runtime, version = V1): Promise<Instance> {
  return await vi.waitFor(() => {
    const [instance] = runtime.instances(MANAGER).filter((one) => one.version === version);
    if (instance?.state !== 'Ready') throw new Error(`not ready: ${JSON.stringify(instance)}`);
    return instance;
  }, PATIENCE);
}

async function settingOf({ address: { host, port } }: Instance): Promise<string> {
  const answer = (await (await fetch(`http://${host}:${port}/`)).json()) as { readonly setting: string };
  return answer.setting;
}

test('a version has its own copies, and a Pod that is made later starts with the same', async () => {
  const world = await runtimeWorld();
  const { runtime } = await world.open();
  await putSetting(world, 'first');
  await putLimit(world, '1');
  await runtime.want({ service: MANAGER, spec, versions: [V1] });
  const before = await ready(runtime);
  expect(await settingOf(before)).toBe('first');

  await putSetting(world, 'second');
  await world.api.delete(SECRET, { namespace: world.namespace, name: nameOfCopy('Secret', 'settings') });
  await world.api.delete(POD, { namespace: world.namespace, name: before.id });
  await vi.waitFor(async () => {
    const now = await ready(runtime);
    expect(now.id).not.toBe(before.id);
    expect(await settingOf(now)).toBe('first');
  }, PATIENCE);

  // The next version gets what is there when it is made.
  await runtime.want({ service: MANAGER, spec, versions: [V1, V2] });
  expect(await settingOf(await ready(runtime, V2))).toBe('second');
  await runtime.want({ service: MANAGER, spec, versions: [V2] });
  await vi.waitFor(async () => {
    const names = (await world.all<Configuration>(SECRET)).map(({ metadata }) => metadata.name);
    expect(names).not.toContain(nameOfCopy('Secret', 'settings'));
    expect(names).toEqual(expect.arrayContaining(['settings', nameOfCopy('Secret', 'settings', V2)]));
  }, PATIENCE);
});

describe('without a node', () => {
  test('copies cannot be changed, and what is not there and need not be is not copied', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    await putSetting(world, 'first');
    await putLimit(world, '1');
    await runtime.want({ service: MANAGER, spec, versions: [V1] });
    await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
    const place = { namespace: world.namespace, name: nameOfCopy('ConfigMap', 'limits') };
    const copy = await world.api.get<Configuration & { readonly immutable?: boolean }>(CONFIG_MAP, place);
    expect(copy).toMatchObject({ data: { limit: '1' }, immutable: true });
    expect(copy.metadata.labels).toMatchObject({ 'switchyard.dev/version': 'v1' });
    await expect(world.api.replace(CONFIG_MAP, place, { ...copy, data: { limit: '2' } })).rejects.toThrow(
      /immutable/,
    );
    const copies = caches.configMaps.of(MANAGER).map(({ metadata }) => metadata.name);
    expect(copies).toEqual([nameOfCopy('ConfigMap', 'limits')]);
  });

  test('a copy has the type of its Secret, but that of a token, which Kubernetes would fill in', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    const { namespace } = world;
    const password = { username: 'YQ==', password: 'Yg==' };
    await put(world, SECRET, 'login', { type: 'kubernetes.io/basic-auth', data: password });
    await world.api.create(
      SECRET,
      { namespace },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/service-account-token',
        metadata: {
          name: 'token',
          namespace,
          annotations: { 'kubernetes.io/service-account.name': 'default' },
        },
      },
    );
    await vi.waitFor(async () => {
      const token = await world.api.get<Configuration>(SECRET, { namespace, name: 'token' });
      expect(token.data).toHaveProperty('token');
    }, PATIENCE);
    const volumes = ['login', 'token'].map((name) => ({ name, secret: { secretName: name } }));
    const template = { spec: { containers: [container()], volumes } };
    await runtime.want({
      service: MANAGER,
      spec: podSpec({ pods: { kind: 'template', template } }),
      versions: [V1],
    });
    await vi.waitFor(() => {
      const copies = caches.secrets
        .of(MANAGER)
        .map(({ metadata, type, data = {} }) => [metadata.name, type, Object.keys(data)]);
      expect(copies.toSorted()).toEqual([
        [nameOfCopy('Secret', 'login'), 'kubernetes.io/basic-auth', ['password', 'username']],
        [nameOfCopy('Secret', 'token'), 'Opaque', expect.arrayContaining(['token']) as string[]],
      ]);
    }, PATIENCE);
  });

  test('a version whose ConfigMap is missing is not made until it is there', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const { runtime, caches } = await world.open();
    await putSetting(world, 'first');
    await runtime.want({ service: MANAGER, spec, versions: [V1] });
    await vi.waitFor(() => {
      expect(runtime.problems(MANAGER)).toEqual([
        `v1: there is no ConfigMap limits in ${world.namespace}, which its Pod template names`,
      ]);
    }, PATIENCE);
    expect(await world.all(DEPLOYMENT)).toEqual([]);
    await putLimit(world, '1');
    await vi.waitFor(() => expect(caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
    await vi.waitFor(() => expect(runtime.problems(MANAGER)).toEqual([]), PATIENCE);
  });

  test('a copy that somebody deletes while no controller runs is made of the original again', async () => {
    const world = await runtimeWorld({ hasNode: false });
    const first = await world.open();
    await putSetting(world, 'first');
    await putLimit(world, '1');
    await first.runtime.want({ service: MANAGER, spec, versions: [V1] });
    await vi.waitFor(() => expect(first.caches.deployments.of(MANAGER)).toHaveLength(1), PATIENCE);
    await first.runtime.close();
    await world.api.delete(CONFIG_MAP, {
      namespace: world.namespace,
      name: nameOfCopy('ConfigMap', 'limits'),
    });
    const { runtime, caches } = await world.open();
    await runtime.want({ service: MANAGER, spec, versions: [V1] });
    await vi.waitFor(() => expect(caches.configMaps.of(MANAGER)).toHaveLength(1), PATIENCE);
  });
});
