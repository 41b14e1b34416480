/** Services of one group that change in one apply: each step of their traffic is one publication, there and back. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serviceName } from '../../../src/model/names.ts';
import type { DefaultRoute } from '../../../src/model/table.ts';
import { ControllerWorld, managerDocument, operator } from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';

const names = ['manager', 'planner'].map(serviceName);

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
  await world.apply(documents('v1'));
});
afterEach(() => world.stop());

/** Both services in one file; the flip needs an approval. */
function documents(wanted: string): string {
  return names
    .map((name, index) => {
      const versions = { v1: [9001 + 100 * index], v2: [9011 + 100 * index] };
      const document = managerDocument({ wanted, versions, name, domain: `${name}.test` });
      return `${document}  group: pipeline\n  traffic: {steps: [50, 100], promotion: Automatic, approvals: [100]}\n`;
    })
    .join('---\n');
}

const rollouts = () => names.map((name) => world.operations.service(name).record.rollout);

function become(reason: string): Promise<unknown> {
  return eventually(() => rollouts().every((rollout) => rollout?.stateReason === reason), { what: reason });
}

/** The default routes of both services in each publication from number `first` on, without repetitions. */
function routesSince(first: number): (readonly string[])[] {
  const routes = world.proxies.published
    .slice(first)
    .map(({ table }) =>
      names.map((name) => inWords(table.services.find((each) => each.service === name)?.defaultRoute)),
    );
  return routes.filter((pair, index) => pair.join() !== routes[index - 1]?.join());
}

function inWords(route: DefaultRoute | undefined): string {
  if (route?.kind === 'Single') return route.version;
  return route?.kind === 'Split' ? `${route.weight} % ${route.candidate}` : 'none';
}

const verb = (service = names[0] ?? serviceName('manager')) => ({ caller: operator, service, dryRun: false });

describe('services of one group', () => {
  test('enter each step of traffic in one publication: no proxy ever has one of them ahead', async () => {
    const first = world.proxies.published.length;
    await world.apply(documents('v2'));
    await become('Approval');
    await world.operations.promote({ ...verb(), full: false });
    await eventually(() => rollouts().every((rollout) => rollout?.state === 'Succeeded'));
    expect(routesSince(first - 1)).toEqual([
      ['v1', 'v1'],
      ['50 % v2', '50 % v2'],
      ['v2', 'v2'],
    ]);
  });

  test('go back together in one publication, when one of them is aborted', async () => {
    await world.apply(documents('v2'));
    await become('Approval');
    const first = world.proxies.published.length;
    await world.operations.abort(verb(names[1]));
    expect(rollouts().map((rollout) => rollout?.state)).toEqual(['Aborted', 'Aborted']);
    expect(world.proxies.published.length).toBe(first + 1);
    expect(routesSince(first)).toEqual([['v1', 'v1']]);
  });

  test('have not succeeded before every proxy has acknowledged the flip', async () => {
    world.proxies.connect('sidecar', 'prompt');
    await world.apply(documents('v2'));
    await become('Approval');
    world.proxies.disconnect('sidecar');
    world.proxies.connect('sidecar', 'slow');
    await world.operations.promote({ ...verb(), full: false });
    await become('ProxiesBehind');
    world.proxies.acknowledge('sidecar');
    await eventually(() => rollouts().every((rollout) => rollout?.state === 'Succeeded'));
    expect(routesSince(0).at(-1)).toEqual(['v2', 'v2']);
  });
});
