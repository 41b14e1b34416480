/** drain, retire and delete: nothing goes while somebody works on it or a proxy may still route to it (rule 8). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  ControllerWorld,
  manager,
  managerDocument,
  operator,
  v1,
  v2,
} from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
  await world.apply(managerDocument());
  await world.becomes('v2', 'Standby');
  await world.operations.flip({ ...world.request(), version: v2, waiveGates: false });
});
afterEach(() => world.stop());

const drain = (giveUpRollback = true) =>
  world.operations.drain({ ...world.request(), version: v1, giveUpRollback, waiveStragglers: false });
const retire = (
  waivers: { waiveOpenWork?: boolean; waiveStragglers?: boolean; giveUpRollback?: boolean } = {},
) =>
  world.operations.retire({
    ...world.request(),
    version: v1,
    giveUpRollback: true,
    waiveOpenWork: false,
    waiveStragglers: false,
    ...waivers,
  });
const routed = () =>
  world.proxies.published
    .at(-1)
    ?.table.services[0]?.versions.map(({ version, access }) => `${version} ${access}`);

describe('drain', () => {
  test('of the way back is refused unless the rollback is given up, and names the flag', async () => {
    await expect(drain(false)).rejects.toMatchObject({
      message: expect.stringContaining('--give-up-rollback'),
    });
    await drain();
    expect(world.operations.service(manager).record.traffic).toEqual({ kind: 'steady', primary: 'v2' });
  });

  test('of the primary is refused', async () => {
    await expect(
      world.operations.drain({
        ...world.request(),
        version: v2,
        giveUpRollback: true,
        waiveStragglers: false,
      }),
    ).rejects.toMatchObject({
      message: expect.stringContaining('is the primary'),
    });
  });

  test('fences the instances and waits until every one has confirmed and nothing is open', async () => {
    world.work.confirms = false;
    await drain();
    await world.becomes('v1', 'Draining');
    world.work.say(['s0', 's1']);
    world.work.confirms = true;
    await eventually(() => world.work.fenced);
    expect(world.operations.service(manager).record.versions[0]?.state).toBe('Draining');
    world.work.say([]);
    await world.becomes('v1', 'Drained');
  });

  test('of unknown work never ends: unknown is not zero', async () => {
    world.work.open = { kind: 'unknown', reason: 'one instance did not answer' };
    await drain();
    await eventually(() => world.work.fenced);
    await expect(retire()).rejects.toMatchObject({ message: expect.stringContaining('unknown is not zero') });
    expect(world.operations.service(manager).record.versions[0]?.state).toBe('Draining');
  });

  test('waits until no proxy may still send default traffic, or until an operator waives that', async () => {
    world.proxies.connect('slow', 'slow');
    await drain();
    await world.becomes('v1', 'Draining');
    expect(world.work.fenced).toBe(false);
    await world.operations.drain({
      ...world.request(),
      version: v1,
      giveUpRollback: true,
      waiveStragglers: true,
    });
    await world.becomes('v1', 'Drained');
    expect(world.work.fenced).toBe(true);
  });

  test('goes on by itself when the last proxy has acknowledged', async () => {
    world.proxies.connect('slow', 'slow');
    await drain();
    expect(world.work.fenced).toBe(false);
    world.proxies.acknowledge('slow');
    await world.becomes('v1', 'Drained');
    expect(world.work.fenced).toBe(true);
  });

  test('is not undone by a flip back whose instances do not confirm, and the traffic stays', async () => {
    await drain();
    await world.becomes('v1', 'Drained');
    world.work.confirms = false;
    const back = { ...world.request(), version: v1, waiveGates: false };
    await expect(world.operations.flip(back)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringMatching(/manager-1 did not answer.*--waive-gates/),
    });
    expect(world.operations.service(manager).record.traffic).toMatchObject({ primary: 'v2' });
    await world.operations.flip({ ...back, waiveGates: true });
    await eventually(() =>
      world.operations
        .service(manager)
        .alerts.includes('v1 takes traffic, and is still fenced: manager-1 did not answer'),
    );
    world.work.confirms = true;
    await eventually(() => world.operations.service(manager).alerts.length === 0);
    expect(world.work.fenced).toBe(false);
  });

  test('is lifted before the traffic comes back, in the same commit', async () => {
    await drain();
    await world.becomes('v1', 'Drained');
    const { service } = await world.operations.flip({ ...world.request(), version: v1, waiveGates: false });
    expect(world.work.fenced).toBe(false);
    expect(service.versions.find(({ name }) => name === 'v1')).toMatchObject({
      state: 'Primary',
      fenced: false,
    });
  });

  test('is undone by a flip back, which lifts the fence', async () => {
    await drain();
    await world.becomes('v1', 'Drained');
    await world.operations.flip({ ...world.request(), version: v1, waiveGates: false });
    await eventually(() => !world.work.fenced);
    await eventually(() => world.operations.service(manager).record.versions[0]?.fenced === false);
    expect(world.operations.service(manager).record.traffic).toEqual({
      kind: 'steady',
      primary: 'v1',
      previous: 'v2',
    });
  });
});

describe('retire', () => {
  test('of a version with open work is refused and lists the work', async () => {
    world.work.say(['s0', 's1']);
    await expect(retire()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('switchyard drain manager v1'),
      details: {
        openWork: [
          { kind: 'stream', id: 's0' },
          { kind: 'stream', id: 's1' },
        ],
      },
    });
  });

  test('of an idle version that is not fenced is refused: new work could still arrive', async () => {
    await expect(retire()).rejects.toMatchObject({
      message: expect.stringContaining('new work can still arrive'),
    });
  });

  test('takes routes, cluster and version away, each only after every proxy has acknowledged the step before', async () => {
    world.proxies.connect('gateway-1', 'prompt');
    world.proxies.connect('gateway-2', 'prompt');
    await drain();
    await world.becomes('v1', 'Drained');
    world.proxies.reject('gateway-2', 'out of memory');
    await retire();
    await eventually(() => routed()?.includes('v1 Refused'));
    expect(world.operations.service(manager).record.versions[0]?.retirement?.step).toBe('Refusing');
    world.proxies.acknowledge('gateway-2');
    await world.becomes('v1', 'Retired');
    expect(routed()).toEqual(['v2 Open']);
  });

  test('waits for a proxy that went away, until an operator waives it', async () => {
    world.proxies.connect('gateway-1', 'prompt');
    await drain();
    await world.becomes('v1', 'Drained');
    world.proxies.disconnect('gateway-1');
    await retire();
    await eventually(() => routed()?.includes('v1 Refused'));
    expect(world.operations.proxies()).toMatchObject([{ id: 'gateway-1', connected: false }]);
    await retire({ waiveStragglers: true });
    await world.becomes('v1', 'Retired');
  });

  test('with open work waived needs a reason and is audited', async () => {
    world.work.say(['s0']);
    const request = {
      ...world.request(),
      version: v1,
      giveUpRollback: true,
      waiveOpenWork: true,
      waiveStragglers: false,
    };
    await expect(
      world.operations.retire({ ...request, caller: { ...operator, reason: '' } }),
    ).rejects.toMatchObject({ code: 'InvalidArgument' });
    await world.operations.retire(request);
    await world.becomes('v1', 'Retired');
    const events = await world.operations.events({ service: manager, limit: 50 });
    expect(events.find(({ action }) => action === 'Retire')).toMatchObject({
      actor: 'tester',
      reason: 'a test',
    });
  });

  test('goes on where it was after a restart of the controller', async () => {
    world.proxies.connect('gateway-1', 'prompt');
    await drain();
    await world.becomes('v1', 'Drained');
    world.proxies.reject('gateway-1', 'out of memory');
    await retire();
    await eventually(() => routed()?.includes('v1 Refused'));
    world = await world.restart();
    // The restarted controller remembers the proxy as a straggler.
    expect(world.operations.proxies()).toMatchObject([{ id: 'gateway-1', connected: false }]);
    world.proxies.connect('gateway-1', 'prompt');
    await world.becomes('v1', 'Retired');
  });
});

test('a deleted service is gone from routes and records; the audit trail keeps it', async () => {
  await world.operations.deleteService(world.request());
  expect(world.operations.services()).toEqual([]);
  expect(world.proxies.published.at(-1)?.table.services).toEqual([]);
  const events = await world.operations.events({ service: manager, limit: 100 });
  expect(events.at(-1)).toMatchObject({ action: 'DeleteService', actor: 'tester' });
});
