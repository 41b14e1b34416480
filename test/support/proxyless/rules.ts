/**
 * What every gRPC client that takes its routes over xDS must see, whoever wrote it: versions by header and by weight,
 * flips that nobody notices, refusals, and streams that live on. Each test has its own server, backends and client.
 */
import { beforeEach, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import type { ClientProgram } from './client.ts';
import type { Outcomes } from './protocol.ts';
import { type ProxylessWorld, startProxylessWorld, type Wish } from './world.ts';

const PIN = 'x-delegate-version';
const UNPINNED = [] as const;
const BOTH = { v1: 'Open', v2: 'Open' } as const;

/** The first start on a machine compiles a client that needs it. */
const BUILD_WITHIN_MS = 900_000;

/** Beyond this many standard deviations a split is wrong: by chance one run in a million is. */
const SIGMAS = 5;

/** Declares the tests. `program` is asked before each of them, and may end the test as not run. */
export function proxylessRules(program: () => Promise<ClientProgram>): void {
  let world: ProxylessWorld;
  beforeEach(async () => {
    world = await startProxylessWorld(await program());
    return async () => {
      await world.close();
      expect(world.rejections).toEqual([]);
    };
  }, BUILD_WITHIN_MS);

  const pinned = (version: string) => [[PIN, version]] as const;
  const calls = async (headers: Parameters<typeof world.client.calls>[0], count = 40) =>
    (await world.client.calls(headers, count, 4)).counts;
  /** An acknowledgement says that an update is valid; the client puts it to use a moment later. */
  const reaches = (outcome: string, headers: Parameters<typeof calls>[0] = UNPINNED) =>
    eventually(async () => (await world.client.calls(headers)).order[0] === outcome, {
      what: `a call that ends with ${outcome}`,
    });
  const flipTo = async (version: string, versions: Wish['versions'] = BOTH) => {
    await world.publish({ versions, default: version });
    await reaches(version);
  };

  test('a pinned call reaches the version that it names, any other call the primary', async () => {
    expect(await calls(pinned('v1'))).toEqual({ v1: 40 });
    expect(await calls(pinned('v2'))).toEqual({ v2: 40 });
    expect(await calls(UNPINNED)).toEqual({ v1: 40 });
    await flipTo('v2');
    expect(await calls(pinned('v1'))).toEqual({ v1: 40 });
    expect(await calls(pinned('v2'))).toEqual({ v2: 40 });
    expect(await calls(UNPINNED)).toEqual({ v2: 40 });
  });

  test('the client acknowledges every type, as a gRPC client with names of its own', async () => {
    const proxy = world.xds.proxy('client-1');
    expect(proxy).toMatchObject({ kind: 'grpc', protocol: 'sotw', publication: 1 });
    expect(proxy.types.map(({ type, subscribed }) => [type, subscribed])).toEqual([
      ['clusters', expect.arrayContaining(['manager__v1', 'manager__v2'])],
      ['endpoints', expect.arrayContaining(['manager__v1', 'manager__v2'])],
      ['listeners', ['manager']],
      ['routes', ['manager']],
    ]);
  });

  test.each([
    ['names no version', [[PIN, 'v9']]],
    ['differs in case', [[PIN, 'V1']]],
    ['is empty', [[PIN, '']]],
    [
      'comes twice',
      [
        [PIN, 'v1'],
        [PIN, 'v1'],
      ],
    ],
    [
      'comes twice with different versions',
      [
        [PIN, 'v1'],
        [PIN, 'v2'],
      ],
    ],
  ] as const)(
    'a pin that %s is refused with UNAVAILABLE and never reaches the primary',
    async (_, headers) => {
      expect(await calls(headers)).toEqual({ UNAVAILABLE: 40 });
      expect(await calls(UNPINNED)).toEqual({ v1: 40 });
    },
  );

  test('each instance gets its even share, however many its zone has', async () => {
    await world.startVersion('v3');
    const zones = { v1: { v1: 'zone-a', v2: 'zone-b', v3: 'zone-b' } };
    await world.publish({ versions: { v1: 'Open' }, default: 'v1', zones });
    await reaches('v3');
    const total = 600;
    const counts = await calls(UNPINNED, total);
    const share = 1 / 3;
    const allowed = SIGMAS * Math.sqrt(total * share * (1 - share));
    for (const instance of ['v1', 'v2', 'v3'])
      expect(Math.abs((counts[instance] ?? 0) - total * share)).toBeLessThan(allowed);
  });

  test('a marked call without a pin is refused', async () => {
    expect(await calls([['x-delegate-pinned', 'true']])).toEqual({ UNAVAILABLE: 40 });
    expect(await calls([['x-delegate-pinned', 'true'], ...pinned('v2')])).toEqual({ v2: 40 });
  });

  test('a version without an endpoint is UNAVAILABLE until it has one, and only that version', async () => {
    await world.publish({ versions: { ...BOTH, v3: 'empty' }, default: 'v1' });
    await reaches('v1');
    expect(await calls(pinned('v3'))).toEqual({ UNAVAILABLE: 40 });
    expect(await calls(UNPINNED)).toEqual({ v1: 40 });
    await world.startVersion('v3');
    await world.publish({ versions: { ...BOTH, v3: 'Open' }, default: 'v1' });
    await reaches('v3', pinned('v3'));
    expect(await calls(pinned('v3'))).toEqual({ v3: 40 });
  });

  test('a version whose last instance died without word is UNAVAILABLE, and only that version', async () => {
    expect(await calls(pinned('v2'))).toEqual({ v2: 40 });
    await world.stopVersion('v2');
    await reaches('UNAVAILABLE', pinned('v2'));
    expect(await calls(pinned('v2'), 8)).toEqual({ UNAVAILABLE: 8 });
    expect(await calls(UNPINNED)).toEqual({ v1: 40 });
  });

  test('default calls are split by weight; pinned calls are not', async () => {
    const split = (weight: number): Wish => ({
      versions: BOTH,
      default: { primary: 'v1', candidate: 'v2', weight },
    });
    const count = 2_000;
    for (const weight of [30, 70]) {
      await world.publish(split(weight));
      // No single answer tells this split from the last one: the first calls may still see that.
      await world.client.calls(UNPINNED, 50, 4);
      const share = weight / 100;
      const { v1 = 0, v2 = 0 } = (await world.client.calls(UNPINNED, count, 8)).counts;
      expect(v1 + v2).toBe(count);
      const bound = SIGMAS * Math.sqrt(count * share * (1 - share));
      expect(Math.abs(v2 - count * share)).toBeLessThan(bound);
      expect(await calls(pinned('v1'))).toEqual({ v1: 40 });
      expect(await calls(pinned('v2'))).toEqual({ v2: 40 });
    }
    await flipTo('v2');
    // v2 may also be an answer of the split: see above.
    await world.client.calls(UNPINNED, 50, 4);
    expect(await calls(UNPINNED, 400)).toEqual({ v2: 400 });
  });

  test('flips under load fail no call, move default calls at once, and move no pinned call', async () => {
    const { client } = world;
    await client.begin('default', UNPINNED);
    await client.begin('old', pinned('v1'));
    await client.begin('new', pinned('v2'));
    const flips = ['v2', 'v1', 'v2', 'v1', 'v2', 'v1', 'v2'];
    for (const version of flips) {
      await flipTo(version);
      const made = await client.made('default');
      await eventually(async () => (await client.made('default')) > made + 5);
    }
    const moved: Outcomes = await client.finish('default');
    expect(moved.errors).toEqual([]);
    expect(moved.order).toEqual(['v1', ...flips]);
    expect((await client.finish('old')).order).toEqual(['v1']);
    expect((await client.finish('new')).order).toEqual(['v2']);
  });

  // In one publication a call through grpc-go (1.85) can fail with UNAVAILABLE, "unknown cluster selected": it uses new
  // routes a moment before their new clusters. A rollout makes a version reachable by pin long before.
  test('a version that was reachable by pin takes the default calls and none fails', async () => {
    const { client } = world;
    await client.begin('default', UNPINNED);
    let primary = 'v1';
    for (const version of ['v3', 'v4', 'v5', 'v6', 'v7', 'v8']) {
      const versions = { ...BOTH, [primary]: 'Open', [version]: 'Open' } as const;
      await world.startVersion(version);
      await world.publish({ versions, default: primary });
      await reaches(version, pinned(version));
      await flipTo(version, versions);
      primary = version;
    }
    const { order, errors } = await client.finish('default');
    expect(errors).toEqual([]);
    expect(order).toEqual(['v1', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8']);
  });

  test('streams that are open stay where they are through flips, and through the retirement of their routes', async () => {
    const { client } = world;
    const ticksOn = async (name: string, version: string) => {
      const before = await client.watched(name);
      expect(before).toMatchObject({ versions: [version] });
      await eventually(async () => (await client.watched(name)).ticks > before.ticks + 2);
      expect(await client.watched(name)).not.toHaveProperty('ended');
    };
    const open = async (name: string, headers: Parameters<typeof calls>[0]) => {
      await client.watch(name, headers);
      await eventually(async () => (await client.watched(name)).ticks > 0);
    };
    await open('default', UNPINNED);
    await open('pinned', pinned('v1'));
    await client.begin('load', UNPINNED);
    for (const version of ['v2', 'v1', 'v2']) {
      await flipTo(version);
      await ticksOn('default', 'v1');
      await ticksOn('pinned', 'v1');
    }
    await world.publish({ versions: { v1: 'Refused', v2: 'Open' }, default: 'v2' });
    await reaches('UNAVAILABLE', pinned('v1'));
    await ticksOn('default', 'v1');
    await world.publish({ versions: { v2: 'Open' }, default: 'v2' });
    expect(await calls(pinned('v1'))).toEqual({ UNAVAILABLE: 40 });
    await ticksOn('default', 'v1');
    await ticksOn('pinned', 'v1');
    await world.stopVersion('v1');
    await eventually(async () => (await client.watched('pinned')).ended !== undefined);
    const { order, errors } = await client.finish('load');
    expect(errors).toEqual([]);
    expect(order).toEqual(['v1', 'v2', 'v1', 'v2']);
  });

  test('a held tenant stays on its version, a pin is stronger', async () => {
    await world.publish({ versions: BOTH, default: 'v2', holds: { acme: 'v1' } });
    await reaches('v2');
    expect(await calls([['x-tenant-id', 'acme']])).toEqual({ v1: 40 });
    expect(await calls([['x-tenant-id', 'other']])).toEqual({ v2: 40 });
    expect(await calls([['x-tenant-id', 'acme'], ...pinned('v2')])).toEqual({ v2: 40 });
  });

  test('a cohort reaches the candidate by tenant and by header; a hold is stronger, and default calls stay', async () => {
    await world.publish({
      versions: BOTH,
      default: 'v1',
      holds: { globex: 'v1' },
      cohort: { version: 'v2', tenants: ['acme', 'globex'], headers: [{ name: 'x-beta', value: '1' }] },
      // Such a client makes no copies; that the service asks for some must not disturb it.
      mirror: { version: 'v2', percent: 100, grpcMethods: ['/examples.manager.v1.Manager/WhoAmI'] },
    });
    await reaches('v2', [['x-beta', '1']]);
    expect(await calls([['x-tenant-id', 'acme']])).toEqual({ v2: 40 });
    expect(await calls([['x-tenant-id', 'globex']])).toEqual({ v1: 40 });
    expect(await calls([['x-beta', '0']])).toEqual({ v1: 40 });
    expect(await calls([['x-beta', '1'], ...pinned('v1')])).toEqual({ v1: 40 });
    expect(await calls(UNPINNED)).toEqual({ v1: 40 });
  });
}
