// Three replicas as real processes at a real API server, with real Pods' processes and real Envoys: who leads decides, all
// serve, and nothing is cut when that changes.
import { expect, test } from 'vitest';
import { ROLLOUT } from '../../src/adapters/kubernetes/custom-resources.ts';
import type { RolloutObject } from '../../src/custom-resources/rollout-object.ts';
import { eventually } from '../support/eventually.ts';
import type { Entrance, Installation } from '../support/kubernetes/system/installation.ts';
import type { Member } from '../support/kubernetes/system/replicas.ts';
import { useInstallation } from '../support/kubernetes/system/use-installation.ts';

const WITHIN = 60_000;

/** The versions that answer default traffic through the Envoys now. */
async function served(entrances: readonly Entrance[]): Promise<string> {
  const versions = entrances.map(async ({ address: { host, port } }) => {
    const response = await fetch(`http://${host}:${port}/`);
    if (!response.ok) throw new Error(`the gateway answers ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { readonly version: string }).version;
  });
  return [...new Set(await Promise.all(versions))].join();
}

async function serves(entrances: readonly Entrance[], version: string): Promise<void> {
  await eventually(async () => (await served(entrances)) === version, {
    what: `${version} through the gateways`,
    within: WITHIN,
  });
}

/** Waits until the Rollout of a version tells of so many times in which routes and Service differed, all of them over. */
function gaps(world: Installation, version: string, count: number): Promise<readonly object[]> {
  return eventually(
    async () => {
      const rollouts = await world.all<RolloutObject>(ROLLOUT);
      const found = rollouts.find(({ spec }) => spec.version === version);
      const told = found?.status?.primaryServiceGaps ?? [];
      const areOver = told.length === count && told.every(({ until }) => until !== undefined);
      return areOver ? told : undefined;
    },
    { what: `the gaps of ${version}`, within: WITHIN, every: 50 },
  );
}

test('a service is rolled out, rolled back by an order, and goes on when its leader is killed', async () => {
  const world = await useInstallation();
  const { replicas } = world;
  const first = await replicas.leader();
  const follower = replicas.all.find((replica) => replica !== first) as Member;

  await world.wish({ version: 'v1' });
  await world.condition('Ready', 'True');
  const entrances = await world.startGateways();
  await serves(entrances, 'v1');
  await world.primaryService('v1');
  const services = await follower.process.run('get', 'services');
  expect(services.stdout).toMatch(/manager +.*v1/);

  const deployed = await follower.process.run('deploy', 'manager', 'v2', '--reason', 'by hand');
  expect(deployed).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(
      /never writes their specs: kubectl patch versionedservice manager/,
    ) as string,
  });
  await world.wish({ version: 'v2' });
  await world.condition('Reconciling', 'True');
  await eventually(
    async () => (await world.object()).status?.conditions?.some(({ reason }) => reason === 'Paused'),
    {
      what: 'a rollout that waits for somebody',
      within: WITHIN,
    },
  );
  expect(await served(entrances)).toBe('v1');
  await world.order('promote 1');
  await world.condition('Ready', 'True');
  await serves(entrances, 'v2');
  await world.primaryService('v2');
  await world.rollout('v2', 'Succeeded');
  const forward = { name: 'manager', routes: 'v2', service: 'v1' };
  expect(await gaps(world, 'v2', 1)).toMatchObject([forward]);
  expect((await world.object()).status?.order).toMatchObject({ text: 'promote 1', outcome: 'Done' });

  await first.process.kill();
  const second = await replicas.leader();
  expect(await served(entrances)).toBe('v2');
  await world.order('rollback 2');
  await serves(entrances, 'v1');
  await world.primaryService('v1');
  await world.condition('Stalled', 'True');
  await world.rollout('v2', 'RolledBack');
  const back = { name: 'manager', routes: 'v1', service: 'v2' };
  expect(await gaps(world, 'v2', 2)).toMatchObject([forward, back]);
  const report = await second.process.run('report', 'manager');
  expect(report.stdout).toMatch(/routes\s+led\s+to\s+v1,\s+Service\s+manager\s+to\s+v2/);
  for (const { envoy } of entrances) expect(await envoy.stat('listener_manager.listener_modified')).toBe(0);
  const proxies = await second.process.run('get', 'proxies');
  expect(proxies.stdout).toMatch(/gateway/);
}, 300_000);
