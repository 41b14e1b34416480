/** flip, set-weight, rollback and hold, as operators use them: what is recorded, published, refused and audited. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tenantName } from '../../../src/model/names.ts';
import {
  ControllerWorld,
  manager,
  managerDocument,
  operator,
  v1,
  v2,
  v3,
} from '../../support/controller-world.ts';
import { eventually } from '../../support/eventually.ts';

let world: ControllerWorld;
beforeEach(async () => {
  world = await ControllerWorld.start();
  await world.apply(managerDocument({ versions: { v1: [9001], v2: [9011], v3: [] } }));
  await world.becomes('v2', 'Standby');
});
afterEach(() => world.stop());

const flip = (version = v2) => world.operations.flip({ ...world.request(), version, waiveGates: false });
const weigh = (weight: number, version = v2) =>
  world.operations.setWeight({ ...world.request(), version, weight, waiveGates: false });
const rollback = () => world.operations.rollback(world.request());
const published = () => world.proxies.published.at(-1)?.table.services[0]?.defaultRoute;

describe('a flip', () => {
  test('is one publication that gives all default traffic to the version', async () => {
    const before = world.proxies.published.length;
    const outcome = await flip();
    expect(world.proxies.published.length).toBe(before + 1);
    expect(world.proxies.published.at(-1)?.number).toBe(outcome.publication);
    expect(published()).toEqual({ kind: 'Single', version: 'v2' });
  });

  test('to where the traffic already is changes and audits nothing', async () => {
    const { generation } = world.operations.service(manager).record;
    const outcome = await flip(v1);
    expect(outcome.message).toContain('nothing to change');
    expect(world.operations.service(manager).record.generation).toBe(generation);
  });

  test('to a version without a ready endpoint is refused (rule 2)', async () => {
    await expect(flip(v3)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('no ready endpoint'),
    });
  });

  test('in a dry run checks everything and changes nothing', async () => {
    const before = world.proxies.published.length;
    const outcome = await world.operations.flip({
      ...world.request(),
      version: v2,
      waiveGates: false,
      dryRun: true,
    });
    expect(outcome).toMatchObject({ publication: 0, message: 'manager: all default traffic to v2 from v1' });
    expect(world.proxies.published.length).toBe(before);
    expect(world.operations.service(manager).record.traffic).toMatchObject({ primary: 'v1' });
  });

  test('made for an older generation loses with both values, and the winner stays', async () => {
    const { generation } = world.operations.service(manager).record;
    const concurrent = [v2, v2].map((version, index) =>
      world.operations.flip({
        ...world.request(),
        version: index === 0 ? version : v1,
        waiveGates: false,
        expectedGeneration: generation,
      }),
    );
    const [first, second] = await Promise.allSettled(concurrent);
    expect(first?.status).toBe('fulfilled');
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { code: 'Aborted', details: { generations: { expected: generation, actual: generation + 1 } } },
    });
  });

  test('is audited: who, what, why, before and after', async () => {
    await flip();
    const [event] = await world.operations.events({ service: manager, limit: 1, newest: true });
    expect(event).toMatchObject({
      actor: 'tester',
      action: 'Flip',
      reason: 'a test',
      message: 'manager: all default traffic to v2 from v1',
    });
    expect(JSON.parse(event?.before ?? '')).toMatchObject({ traffic: { kind: 'steady', primary: 'v1' } });
    expect(JSON.parse(event?.after ?? '')).toMatchObject({
      traffic: { kind: 'steady', primary: 'v2', previous: 'v1' },
    });
  });
});

describe('a shift', () => {
  test('goes up and down by weights and ends as a flip at 100', async () => {
    await weigh(10);
    expect(published()).toMatchObject({ kind: 'Split', candidate: 'v2', weight: 10 });
    await weigh(50);
    await weigh(20);
    expect(published()).toMatchObject({ weight: 20 });
    await weigh(100);
    expect(published()).toEqual({ kind: 'Single', version: 'v2' });
  });

  test('ends at 0 with everything on the primary', async () => {
    await weigh(10);
    await weigh(0);
    expect(published()).toEqual({ kind: 'Single', version: 'v1' });
    expect(
      world.operations.service(manager).versions.find(({ record }) => record.name === 'v2')?.record.state,
    ).toBe('Standby');
  });

  test.each([-1, 101, 1.5, Number.NaN])('weight %s is refused', async (weight) => {
    await expect(weigh(weight)).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: expect.stringContaining('whole number from 0 to 100'),
    });
  });

  test('whose candidate loses its last endpoint gives everything back at once, and says so', async () => {
    await weigh(30);
    await world.apply(managerDocument({ versions: { v1: [9001], v2: [], v3: [] } }));
    await eventually(() => published()?.kind === 'Single');
    await eventually(() => world.operations.service(manager).record.traffic.kind === 'steady');
    const events = await world.operations.events({ service: manager, limit: 5, newest: true });
    expect(events.map(({ action }) => action)).toContain('EndShift');
  });
});

describe('a rollback', () => {
  test('goes to the previous primary, once', async () => {
    await flip();
    await rollback();
    expect(published()).toEqual({ kind: 'Single', version: 'v1' });
    await expect(rollback()).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('no previous version'),
    });
  });

  test('is refused where the previous primary has no ready endpoint', async () => {
    await flip();
    await world.apply(managerDocument({ versions: { v1: [], v2: [9011], v3: [] } }));
    await eventually(() =>
      world.operations.service(manager).alerts.some((alert) => alert.includes('a rollback would be refused')),
    );
    await expect(rollback()).rejects.toMatchObject({ code: 'FailedPrecondition' });
  });
});

describe('a hold', () => {
  const acme = tenantName('acme');
  test('keeps a tenant on a version until it is released', async () => {
    await world.operations.hold({ ...world.request(), tenant: acme, version: v2, duration: 60_000 });
    expect(world.proxies.published.at(-1)?.table.services[0]?.holds).toEqual([
      { tenant: 'acme', version: 'v2' },
    ]);
    await world.operations.release({ ...world.request(), tenant: acme });
    expect(world.proxies.published.at(-1)?.table.services[0]?.holds).toEqual([]);
    await expect(world.operations.release({ ...world.request(), tenant: acme })).rejects.toMatchObject({
      code: 'NotFound',
    });
  });

  test('ends by itself when it expires', async () => {
    await world.operations.hold({ ...world.request(), tenant: acme, version: v2, duration: 1 });
    await eventually(() => world.operations.service(manager).record.holds.length === 0);
    expect(world.proxies.published.at(-1)?.table.services[0]?.holds).toEqual([]);
  });

  test('needs a reason', async () => {
    const request = {
      ...world.request(),
      caller: { ...operator, reason: ' ' },
      tenant: acme,
      version: v2,
      duration: 1,
    };
    await expect(world.operations.hold(request)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

describe('convergence', () => {
  const converge = (publication: number, within: number) =>
    world.operations.converge({ publication, signal: AbortSignal.timeout(within) });

  test('is everywhere when every connected proxy has acknowledged; those that are away are named, not waited for', async () => {
    world.proxies.connect('gateway-1', 'prompt');
    world.proxies.connect('gateway-2', 'prompt');
    world.proxies.disconnect('gateway-2');
    const { publication } = await flip();
    expect(await converge(publication, 5_000)).toMatchObject({
      kind: 'Everywhere',
      acknowledged: ['gateway-1'],
      stragglers: [{ proxy: 'gateway-2', kind: 'Away' }],
    });
  });

  test('at its deadline names who is behind and who refused; the flip stays committed', async () => {
    world.proxies.connect('slow', 'slow');
    world.proxies.connect('stubborn', 'slow');
    world.proxies.reject('stubborn', 'no room');
    const { publication } = await flip();
    expect(await converge(publication, 50)).toMatchObject({
      kind: 'NotYetEverywhere',
      stragglers: [
        { proxy: 'slow', kind: 'Behind' },
        { proxy: 'stubborn', kind: 'Rejected', message: 'rejected routes: no room' },
      ],
    });
    expect(world.operations.service(manager).record.traffic).toMatchObject({ primary: 'v2' });
  });
});
