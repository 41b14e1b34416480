// Watchers and proxies: spread over objects, written now and then, only where something has changed.
import { describe, expect, test, vi } from 'vitest';
import { CONTROLLER_STATE } from '../../../../../src/adapters/kubernetes/custom-resources.ts';
import type { StoredObject } from '../../../../../src/adapters/kubernetes/store/objects.ts';
import { serviceName } from '../../../../../src/model/names.ts';
import { NotLeaderError, type WatcherSeen } from '../../../../../src/ports/store.ts';
import { type Intervene, intervened } from '../../../../support/kubernetes/intervened.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { openedStore } from '../../../../support/kubernetes/stores.ts';
import { proxySeen, serviceRecord } from '../../../../support/stored-records.ts';
import { boxId, watcherSeen } from '../../../../support/watchers.ts';

const { signal } = new AbortController();
const soon = { timeout: 10_000 };

async function world(listsEvery = 0) {
  const server = new SimulatedServer();
  const written: string[] = [];
  let intervene: Intervene = (_, carryOut) => carryOut();
  let now = 1_000_000;
  const objects = intervened(server.connect(), (request, carryOut) => {
    if (request.kind === 'create' || request.kind === 'replace') written.push(request.name);
    return intervene(request, carryOut);
  });
  const opened = await openedStore(objects, { listsEvery, monotonic: () => now, patience: 100 });
  await opened.store.commit({
    services: [serviceRecord({ name: 'manager' }), serviceRecord({ name: 'other' })],
  });
  written.length = 0;
  return {
    ...opened,
    server,
    written,
    pass: (milliseconds: number) => (now += milliseconds),
    answer: (next: Intervene) => (intervene = next),
  };
}

const boxes = (count: number): readonly WatcherSeen[] =>
  Array.from({ length: count }, (_, number) =>
    watcherSeen({ id: `box-${number}`, tenant: `tenant-${number % 500}` }),
  );

describe('ten thousand watchers', () => {
  test('are in 64 objects, none of them large; one that changes is one write; the next leader has them all', async () => {
    const { store, server, written } = await world();
    const all = boxes(10_000);
    await store.saveWatchers({ saved: all, forgotten: [] });
    expect(new Set(written).size).toBe(64);
    const stored = await server.connect().list<StoredObject>(CONTROLLER_STATE, signal);
    const largest = Math.max(...stored.map((object) => JSON.stringify(object).length));
    expect(largest).toBeLessThan(100_000);
    written.length = 0;
    await store.saveWatchers({ saved: [watcherSeen({ id: 'box-7', lastSeen: 9 })], forgotten: [] });
    expect(written).toHaveLength(1);
    await store.saveWatchers({ saved: all.slice(20, 40), forgotten: [] });
    expect(written).toHaveLength(1);
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    expect(await next.watchers()).toEqual(await store.watchers());
    expect(await next.watchers()).toHaveLength(10_000);
  });
});

describe('writes', () => {
  test('come at most as often as is said; what is left is written when it is time, or at the end', async () => {
    const { store, server, written, pass } = await world(60);
    await store.saveWatchers({ saved: boxes(1), forgotten: [] });
    expect(written).toHaveLength(1);
    await store.saveWatchers({
      saved: [watcherSeen({ id: 'box-0', tenant: 'tenant-0', lastSeen: 2 })],
      forgotten: [],
    });
    await store.saveWatchers({
      saved: [watcherSeen({ id: 'box-0', tenant: 'tenant-0', lastSeen: 3 })],
      forgotten: [],
    });
    expect(written).toHaveLength(1);
    expect((await store.watchers())[0]?.lastSeen).toBe(3);
    await vi.waitFor(() => expect(written).toHaveLength(2), soon);
    pass(10);
    await store.saveProxies([proxySeen({ id: 'a' })]);
    await store.saveProxies([proxySeen({ id: 'b' })]);
    await store.close();
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    expect((await next.watchers())[0]?.lastSeen).toBe(3);
    expect((await next.load()).proxies).toEqual([proxySeen({ id: 'b' })]);
  });

  test('that fail are told, and are made up for', async () => {
    const { store, server, told, answer, written } = await world(40);
    await store.saveProxies([proxySeen({ id: 'a' })]);
    answer(() => Promise.reject(new Error('away')));
    await store.saveProxies([proxySeen({ id: 'a', lastSeen: 2 })]);
    await vi.waitFor(() => expect(told.troubles.join()).toMatch(/Proxies are not saved: .*away/), soon);
    answer((_, carryOut) => carryOut());
    written.length = 0;
    await vi.waitFor(() => expect(written.length).toBeGreaterThan(0), soon);
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    expect((await next.load()).proxies).toEqual([proxySeen({ id: 'a', lastSeen: 2 })]);
  });

  test('that somebody waits for fail loudly, and the next one writes it all', async () => {
    const { store, server, answer, pass } = await world(1_000);
    answer(() => Promise.reject(new Error('away')));
    await expect(store.saveWatchers({ saved: boxes(2), forgotten: [] })).rejects.toThrow(/away/);
    answer((_, carryOut) => carryOut());
    pass(1_000);
    await store.saveWatchers({ saved: [], forgotten: [] });
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    expect(await next.watchers()).toHaveLength(2);
  });

  test('of a leader that another one has followed are refused by the server', async () => {
    const { store, server } = await world();
    await store.saveWatchers({ saved: boxes(1), forgotten: [] });
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    const older = watcherSeen({ id: 'box-0', tenant: 'tenant-0', lastSeen: 1 });
    await expect(store.saveWatchers({ saved: [older], forgotten: [] })).rejects.toThrow(NotLeaderError);
    expect(await next.watchers()).toEqual(boxes(1));
  });

  test('go over what another hand has made of the object', async () => {
    const { store, server, written } = await world();
    await store.saveWatchers({ saved: boxes(1), forgotten: [] });
    const objects = server.connect();
    const found = await objects.get<StoredObject>(CONTROLLER_STATE, written[0] ?? '', signal);
    await objects.replace(
      CONTROLLER_STATE,
      { ...found, metadata: { ...found.metadata, labels: {} } },
      { signal },
    );
    const forgotten = [{ service: serviceName('manager'), id: boxId('box-0') }];
    await store.saveWatchers({ saved: [], forgotten });
    const { store: next } = await openedStore(server.connect(), { term: 1 });
    expect(await next.watchers()).toEqual([]);
  });
});

test('watchers of a service that was deleted are gone for the next leader too', async () => {
  const { store, server } = await world();
  const other = watcherSeen({ id: 'a', service: 'other' });
  await store.saveWatchers({ saved: [...boxes(3), other], forgotten: [] });
  await store.commit({ deletions: [{ name: serviceName('manager'), generation: 1 }] });
  await store.close();
  const { store: next } = await openedStore(server.connect(), { term: 1 });
  expect(await next.watchers()).toEqual([other]);
});
