/** What the API shows, and how it goes on showing it: views, decisions, events, and watches of all three. */
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Response, WatchMethod } from '../../../src/admin/contract.ts';
import { ProxyKind, VersionState } from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import {
  applyManager,
  change,
  managerDocument,
  PATIENCE,
  startTestController,
  type TestController,
} from '../../support/admin/controller.ts';

let controller: TestController;
let ended: AbortController;
beforeEach(async () => {
  controller = await startTestController();
  ended = new AbortController();
  await applyManager(controller);
});
afterEach(async () => {
  ended.abort();
  await controller.close();
});

function watch<M extends WatchMethod>(method: M, request: object): AsyncIterator<Response<M>> {
  return controller.client.watch(method, request as never, ended.signal)[Symbol.asyncIterator]();
}

describe('a view', () => {
  test('of a service has its document; a list of services has none', async () => {
    const { service } = await controller.client.call('getService', { name: 'manager' });
    const { services } = await controller.client.call('listServices', {});
    expect(service?.document).toBe(managerDocument('v2'));
    expect(services).toMatchObject([{ name: 'manager', wantedVersion: 'v2', document: '' }]);
  });

  test('of versions tells state, weight and ready endpoints', async () => {
    const { versions } = await controller.client.call('listVersions', {});
    expect(versions).toMatchObject([
      { service: 'manager', name: 'v1', state: VersionState.PRIMARY, weight: 100, readyEndpoints: 2 },
      { service: 'manager', name: 'v2', state: VersionState.STANDBY, weight: 0, readyEndpoints: 2 },
    ]);
    expect(versions[0]?.instances.map(({ address }) => address)).toEqual([
      '127.0.0.1:9001',
      '127.0.0.1:9002',
    ]);
  });

  test('of a service that does not exist is NOT_FOUND', async () => {
    await expect(controller.client.call('listVersions', { service: 'nobody' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  test('of proxies tells who is connected, in sync, and what was rejected', async () => {
    controller.proxies.connect('gateway', 'prompt');
    controller.proxies.connect('broken', 'slow');
    controller.proxies.reject('broken', 'no such filter');
    await expect
      .poll(async () => (await controller.client.call('listProxies', {})).proxies, PATIENCE)
      .toHaveLength(2);
    const { proxies, publication } = await controller.client.call('listProxies', {});
    expect(proxies).toMatchObject([
      {
        id: 'broken',
        inSync: false,
        connection: { types: [{ type: 'routes', rejection: { message: 'no such filter' } }] },
      },
      { id: 'gateway', kind: ProxyKind.ENVOY, connected: true, inSync: true, publication },
    ]);
  });

  test('of the routing table is JSON', async () => {
    const { json } = await controller.client.call('getTable', {});
    expect(JSON.parse(json)).toMatchObject({
      services: [{ service: 'manager', defaultRoute: { version: 'v1' } }],
    });
  });

  test('of a static Envoy passes its settings on, and a wrong address names the field', async () => {
    const { config } = await controller.client.call('exportEnvoy', { adminAddress: '127.0.0.1:1234' });
    expect(JSON.parse(config)).toEqual({ services: ['manager'], admin: { host: '127.0.0.1', port: 1234 } });
    await expect(controller.client.call('exportEnvoy', { adminAddress: 'here' })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(/^admin_address: /),
    });
  });

  test('of a backup needs an absolute path', async () => {
    await expect(controller.client.call('backup', { file: 'copy.db' })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(/^file: .*absolute/),
    });
  });
});

describe('explain', () => {
  const host = 'api.example.com';

  test('tells the version that a pin reaches', async () => {
    const headers = [{ name: 'X-Delegate-Version', value: 'v2' }];
    const decision = await controller.client.call('explain', { host, path: '/tasks/1', headers });
    expect(decision).toMatchObject({
      service: 'manager',
      outcome: { case: 'version', value: { version: 'v2', readyEndpoints: 2 } },
    });
    expect(decision.because).not.toBe('');
  });

  test('tells that a pin to an unknown version is refused', async () => {
    const headers = [{ name: 'x-delegate-version', value: 'v9' }];
    const decision = await controller.client.call('explain', { host, path: '/tasks', headers });
    expect(decision.outcome).toMatchObject({
      case: 'refused',
      value: { status: 409, code: 'VERSION_NOT_ACTIVE' },
    });
  });

  test.each([
    ['host', { host: '' }],
    ['path', { host, path: 'tasks' }],
  ])('without a right %s is refused', async (field, request) => {
    await expect(controller.client.call('explain', request)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringMatching(new RegExp(`^${field}: `)),
    });
  });
});

describe('a watch of services', () => {
  test('shows the full view first, then each change', async () => {
    const views = watch('watchServices', { service: 'manager' });
    const first = await views.next();
    expect(first.value.services).toMatchObject([
      { name: 'manager', traffic: { kind: { value: { primary: 'v1' } } } },
    ]);
    await controller.client.call('flip', { change, version: 'v2' });
    const second = await views.next();
    expect(second.value.services).toMatchObject([{ traffic: { kind: { value: { primary: 'v2' } } } }]);
  });

  test('of a service that does not exist yet is empty, and shows it when it comes', async () => {
    const views = watch('watchServices', { service: 'later' });
    expect((await views.next()).value.services).toEqual([]);
    const text = managerDocument('v1', 10_009)
      .replace('name: manager', 'name: later')
      .replace('name: gateway', 'name: side');
    await controller.client.call('apply', { documents: [{ file: 'l.yaml', text }], actor: 'ada' });
    expect((await views.next()).value.services).toMatchObject([{ name: 'later' }]);
  });

  test('gives a reader that sleeps through many changes only the newest view', async () => {
    const views = watch('watchServices', {});
    await views.next();
    for (let weight = 1; weight <= 40; weight += 1) {
      await controller.client.call('setWeight', { change, version: 'v2', weight });
    }
    const seen: (number | undefined)[] = [];
    while (seen.at(-1) !== 40) {
      const { value } = await views.next();
      const kind = value.services[0]?.traffic?.kind;
      seen.push(kind?.case === 'shifting' ? kind.value.weight : undefined);
    }
    expect(seen.length).toBeLessThan(40);
    expect(seen).toEqual(seen.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  });

  test('is silent while nothing changes that it shows', async () => {
    const views = watch('watchServices', { service: 'manager' });
    await views.next();
    const text = managerDocument('v1', 10_009)
      .replace('name: manager', 'name: other')
      .replace('name: gateway', 'name: side');
    await controller.client.call('apply', { documents: [{ file: 'o.yaml', text }], actor: 'ada' });
    await controller.client.call('flip', { change, version: 'v2' });
    const next = await views.next();
    expect(next.value.services).toMatchObject([
      { name: 'manager', traffic: { kind: { value: { primary: 'v2' } } } },
    ]);
  });
});

test('a watch of proxies shows who came and who acknowledged', async () => {
  const views = watch('watchProxies', {});
  expect((await views.next()).value.proxies).toEqual([]);
  controller.proxies.connect('gateway', 'slow');
  expect((await views.next()).value.proxies).toMatchObject([{ id: 'gateway', inSync: false }]);
  controller.proxies.acknowledge('gateway');
  expect((await views.next()).value.proxies).toMatchObject([{ id: 'gateway', inSync: true }]);
});

async function flips(count: number): Promise<void> {
  for (let flip = 0; flip < count; flip += 1) {
    await controller.client.call('flip', { change, version: flip % 2 === 0 ? 'v2' : 'v1' });
  }
}

async function sequences(events: AsyncIterator<Response<'watchEvents'>>, count: number): Promise<bigint[]> {
  const seen: bigint[] = [];
  while (seen.length < count) seen.push((await events.next()).value.event?.sequence ?? -1n);
  return seen;
}

describe('events', () => {
  test('are listed newest last, and after a sequence number', async () => {
    await flips(3);
    const newest = await controller.client.call('listEvents', { limit: 2 });
    expect(newest.events.map(({ action }) => action)).toEqual(['Flip', 'Flip']);
    const [first] = newest.events;
    const rest = await controller.client.call('listEvents', {
      afterSequence: first?.sequence ?? 0n,
      limit: 10,
    });
    expect(rest.events.map(({ sequence }) => sequence)).toEqual([(first?.sequence ?? 0n) + 1n]);
    await expect(controller.client.call('listEvents', { limit: 5000 })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });

  test('are watched each once and in order, also more than a page of them', async () => {
    await flips(250);
    const events = watch('watchEvents', { afterSequence: 0n });
    const seen = await sequences(events, 250);
    expect(seen).toEqual(seen.map((_, index) => BigInt(index + 1)));
    await flips(1);
    expect((await sequences(events, 1))[0]).toBe(251n);
  });

  test('go on where a reader left off, with none lost and none repeated', async () => {
    await flips(2);
    const [, last = 0n] = await sequences(watch('watchEvents', { afterSequence: 0n, service: 'manager' }), 2);
    await flips(2);
    const resumed = await sequences(watch('watchEvents', { afterSequence: last, service: 'manager' }), 2);
    expect(resumed).toEqual([last + 1n, last + 2n]);
  });
});
