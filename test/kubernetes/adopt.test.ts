// A Deployment and a Service that nobody has versioned become a service, are rolled out, and are let go of again, each step taken
// back once, while requests come through the plain Service all the time: none of them fails.
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import { objectName } from '../../src/adapters/kubernetes/names.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { eventually } from '../support/eventually.ts';
import { ServiceClient } from '../support/kubernetes/service-client.ts';
import { UnversionedWorld } from '../support/kubernetes/unversioned.ts';

const QUICK = ['--yes', '--settle', '1s', '--timeout', '60s'];
const deploymentOf = (version: string): string => objectName(serviceName('orders'), versionName(version));

async function loaded(): Promise<{ readonly world: UnversionedWorld; readonly client: ServiceClient }> {
  const world = await UnversionedWorld.create();
  const client = await ServiceClient.start(world.place, 'orders');
  onTestFinished(() => client.stop());
  await eventually(() => client.total > 0, { what: 'the first request' });
  return { world, client };
}

/** All that is served now is served by this version; Pods of nobody say none. */
async function serves(client: ServiceClient, version: string): Promise<void> {
  const seen = client.answered.get(version) ?? 0;
  await eventually(() => (client.answered.get(version) ?? 0) > seen + 20 && client.version === version, {
    what: `${version === '' ? 'the old Pods' : version} through the Service`,
  });
}

test('what runs is adopted, rolled out and let go of under load, and every step is taken back', async () => {
  const { world, client } = await loaded();
  const before = await world.service();
  const adopt = (...more: string[]) => world.must('adopt', 'deployment/orders', ...more, ...QUICK);

  expect(await world.must('adopt', 'deployment/orders', 'v1', '--dry-run')).toMatch(
    /nothing was done yet[\s\S]*service\/orders leads to them and keeps its address/,
  );
  expect((await world.run('adopt', 'deployment/orders', '--complete', ...QUICK)).stderr).toMatch(
    /say which version deployment\/orders is/,
  );
  await adopt('v1');
  await serves(client, 'v1');
  const led = await world.service();
  expect({ ...led.spec, selector: 0 }).toEqual({ ...before.spec, selector: 0 });
  expect(led.metadata.uid).toBe(before.metadata.uid);
  // Again changes nothing, and both sets of Pods run.
  await adopt('v1');
  expect(await world.pods('app=orders')).toHaveLength(2);
  await adopt('--undo');
  await serves(client, '');
  expect((await world.service()).spec).toEqual(before.spec);
  await world.gone('switchyard.dev/service=orders');

  await world.must('adopt', 'service/orders', 'v1', ...QUICK);
  await adopt('--complete');
  expect(await world.pods('app=orders')).toEqual([]);
  await adopt('--undo');
  await serves(client, '');
  expect(await world.pods('app=orders')).toHaveLength(2);
  await adopt('v1');
  await adopt('--complete');
  await serves(client, 'v1');

  await world.wish('v2');
  await world.until(
    'a rollout that waits',
    ({ conditions }) => conditions?.some(({ reason }) => reason === 'Paused') === true,
  );
  const refused = await world.run('uninstall', '--yes');
  expect(refused).toMatchObject({ exitCode: 1 });
  expect(refused.stderr).toMatch(/orders: the rollout of v2 is Paused/);
  expect((await world.run('adopt', 'deployment/orders', '--undo', ...QUICK)).stderr).toMatch(
    /orders is being rolled out/,
  );
  await world.order('promote 1');
  await world.until('v2 as primary', ({ primary }) => primary === 'v2');
  await world.leadsTo('v2');
  await serves(client, 'v2');
  await world.order('rollback 1');
  await world.leadsTo('v1');
  await serves(client, 'v1');
  await world.order('retry 1');
  await world.until(
    'a rollout that waits',
    ({ conditions }) => conditions?.some(({ reason }) => reason === 'Paused') === true,
  );
  await world.order('promote 2');
  await world.leadsTo('v2');
  await world.until(
    'the end of the rollout',
    ({ conditions }) =>
      conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
  );
  expect((await world.run('adopt', 'deployment/orders', '--undo', ...QUICK)).stderr).toMatch(
    /the primary of orders is v2, and the Deployment runs v1/,
  );

  const documents = await world.must('uninstall', '-o', 'yaml');
  const told = await world.must('uninstall', '--dry-run');
  expect(told).toMatch(new RegExp(`stays: .*deployment/${deploymentOf('v2')}.*service/orders`));
  expect(told).toMatch(/goes: +routes and pins, version v1/);
  const running = await world.podIds('switchyard.dev/version=v2');
  expect(await world.must('uninstall', '--yes', '--timeout', '60s')).toMatch(/kubectl delete crd/);
  await serves(client, 'v2');
  await world.gone('switchyard.dev/version=v1');
  await expect(world.object()).rejects.toThrow(/not found/);
  await expect(world.deployment('switchyard-controller')).rejects.toThrow(/not found/);
  expect((await world.deployment(deploymentOf('v2'))).metadata.ownerReferences).toBeUndefined();
  expect(await world.must('uninstall', '--yes')).toMatch(/there is no VersionedService/);

  // Installed again, it takes over what it left: the same Pods.
  await world.install();
  const [document] = (parse(documents) as { items: { spec: object }[] }).items;
  await world.place.api.create(VERSIONED_SERVICE, { namespace: world.place.namespace }, document);
  await world.until(
    'v2 to serve again',
    ({ conditions }) =>
      conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true,
  );
  expect(await world.podIds('switchyard.dev/version=v2')).toEqual(running);
  await serves(client, 'v2');
  await client.stop();
  expect(client.failed).toEqual([]);
  expect(client.total).toBeGreaterThan(1_000);
}, 300_000);
