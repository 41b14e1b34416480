// People who edit what is not theirs, and replicas that do not lead.
import { describe, expect, test } from 'vitest';
import {
  CONTROLLER_STATE,
  SERVICE_ROUTING,
} from '../../../../../src/adapters/kubernetes/custom-resources.ts';
import { ChangedByAnotherError } from '../../../../../src/adapters/kubernetes/store/errors.ts';
import type { StoredObject } from '../../../../../src/adapters/kubernetes/store/objects.ts';
import type { RoutingObject } from '../../../../../src/adapters/kubernetes/store/routing-object.ts';
import { readCounters, type StateObject } from '../../../../../src/adapters/kubernetes/store/state-object.ts';
import { openKubernetesStore } from '../../../../../src/adapters/kubernetes/store/store.ts';
import { serviceName } from '../../../../../src/model/names.ts';
import { GenerationConflictError, NotLeaderError } from '../../../../../src/ports/store.ts';
import { faultyStore } from '../../../../support/kubernetes/faulty-store.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { leaderOptions, openedStore } from '../../../../support/kubernetes/stores.ts';
import { proxySeen, serviceRecord } from '../../../../support/stored-records.ts';
import { watcherSeen } from '../../../../support/watchers.ts';

const record = (name: string, generation: number) => serviceRecord({ name, generation });
const alpha = serviceName('alpha');
const { signal } = new AbortController();
const WRITTEN = [
  [SERVICE_ROUTING, 'alpha'],
  [SERVICE_ROUTING, 'beta'],
  [CONTROLLER_STATE, 'counters'],
] as const;

describe('another hand', () => {
  test('that edits a record without a new generation is an error once, and the edit is what is read', async () => {
    const { store, objects } = await faultyStore();
    const found = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
    const edited = { ...found.spec.record, document: 'edited' };
    await objects.replace(SERVICE_ROUTING, { ...found, spec: { ...found.spec, record: edited } }, { signal });
    const refused = store.commit({ services: [record('alpha', 2)] });
    await expect(refused).rejects.toThrow(ChangedByAnotherError);
    await expect(refused).rejects.toThrow(/alpha was changed by another hand at generation 1/);
    expect((await store.load()).services[0]?.document).toBe('edited');
    await store.commit({ services: [record('alpha', 2), record('beta', 2)] });
  });

  test('that writes a new generation is a conflict of generations, alone and among others', async () => {
    const { store, objects } = await faultyStore();
    for (const services of [[record('alpha', 2)], [record('alpha', 2), record('beta', 2)]]) {
      const found = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
      const { generation } = found.spec.record;
      const newer = { ...found.spec.record, generation: generation + 5 };
      await objects.replace(
        SERVICE_ROUTING,
        { ...found, spec: { ...found.spec, record: newer } },
        { signal },
      );
      const refused = store.commit({
        services: services.map((one) => (one.name === alpha ? { ...one, generation: generation + 1 } : one)),
      });
      await expect(refused).rejects.toThrow(GenerationConflictError);
      await expect(refused).rejects.toMatchObject({ expected: generation, actual: generation + 5 });
      expect((await store.load()).services[0]?.generation).toBe(generation + 5);
    }
  });

  test('that deletes a record does not delete the service: it is put back as it was', async () => {
    const { store, objects, told } = await faultyStore();
    const { uid = '' } = (await objects.get(SERVICE_ROUTING, 'alpha', signal)).metadata;
    await objects.delete(SERVICE_ROUTING, { name: 'alpha', uid }, signal);
    await expect(store.commit({ services: [record('alpha', 2)] })).rejects.toThrow(
      /alpha was deleted by another hand/,
    );
    expect((await store.load()).services).toEqual([record('alpha', 1), record('beta', 1)]);
    expect(told.troubles.join()).toMatch(/alpha was deleted by another hand; it was put back/);
    await store.commit({ services: [record('alpha', 2)] });
  });

  test('that makes a record of a service that is not recorded is named, and nothing is decided by it', async () => {
    const { store, objects, told } = await faultyStore();
    const found = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
    const made = {
      ...found,
      metadata: { name: 'gamma' },
      spec: { ...found.spec, record: record('gamma', 7) },
    };
    await objects.create(SERVICE_ROUTING, made, { signal });
    await expect(store.commit({ services: [record('gamma', 1)] })).rejects.toThrow(
      /gamma is there, although no such service is recorded/,
    );
    expect((await store.load()).services.map(({ name }) => name)).toEqual(['alpha', 'beta']);
    expect(told.troubles.join()).toMatch(/gamma is of no service that is recorded/);
  });

  test('that labels or annotates does not matter, and what it has put there stays', async () => {
    const { store, objects } = await faultyStore();
    for (const [kind, name] of WRITTEN) {
      const { metadata, ...rest } = await objects.get<StoredObject>(kind, name, signal);
      const labels = { ...metadata.labels, 'example.com/of': 'a tool' };
      const annotations = { 'example.com/note': 'seen' };
      await objects.replace(kind, { ...rest, metadata: { ...metadata, labels, annotations } }, { signal });
    }
    await store.commit({ services: [record('alpha', 2)] });
    await store.commit({ services: [record('alpha', 3), record('beta', 2), record('gamma', 1)] });
    const { store: next } = await openedStore(objects, { term: 1 });
    expect((await next.load()).services.map(({ generation }) => generation)).toEqual([3, 2, 1]);
    for (const [kind, name] of WRITTEN) {
      const { labels, annotations } = (await objects.get(kind, name, signal)).metadata;
      expect(labels).toMatchObject({
        'example.com/of': 'a tool',
        'app.kubernetes.io/managed-by': 'switchyard',
      });
      expect(annotations).toEqual({ 'example.com/note': 'seen' });
    }
  });

  test('that damages a record is an error once; it is put back as it was', async () => {
    const { store, objects, told } = await faultyStore();
    const found = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
    const damaged = { ...found.spec.record, versions: 'none' as never };
    await objects.replace(
      SERVICE_ROUTING,
      { ...found, spec: { ...found.spec, record: damaged } },
      { signal },
    );
    await expect(store.commit({ services: [record('alpha', 2)] })).rejects.toThrow(
      /alpha is damaged .*versions is "none"/,
    );
    expect((await store.load()).services).toEqual([record('alpha', 1), record('beta', 1)]);
    expect(told.troubles.join()).toMatch(/alpha was damaged by another hand; it was put back/);
    await store.commit({ services: [record('alpha', 2)] });
  });

  test('that edits or deletes the counters is an error once', async () => {
    const { store, objects } = await faultyStore();
    const found = await objects.get<StateObject>(CONTROLLER_STATE, 'counters', signal);
    const counters = { ...readCounters(found), lastSequence: 77_000 };
    await objects.replace(CONTROLLER_STATE, { ...found, spec: { ...found.spec, counters } }, { signal });
    await expect(store.commit({ services: [record('gamma', 1)] })).rejects.toThrow(
      /counters was changed by another/,
    );
    await store.commit({ services: [record('gamma', 1)] });
    const { uid = '' } = (await objects.get(CONTROLLER_STATE, 'counters', signal)).metadata;
    await objects.delete(CONTROLLER_STATE, { name: 'counters', uid }, signal);
    await expect(store.commit({ services: [record('delta', 1)] })).rejects.toThrow(
      /counters was changed by another/,
    );
    await store.commit({ services: [record('delta', 1)] });
    const { services, everWritten } = await store.load();
    expect(services.map(({ name }) => name)).toEqual(['alpha', 'beta', 'delta', 'gamma']);
    expect(everWritten).toBe(true);
  });
});

describe('a replica that does not lead', () => {
  test('does not open a store', async () => {
    const options = leaderOptions(new SimulatedServer().connect());
    const following = { ...options, leadership: () => ({ kind: 'Following', leader: 'pod-b' }) as const };
    await expect(openKubernetesStore(following)).rejects.toThrow(/this replica does not lead, pod-b does/);
  });

  test('or leads no more is refused every write at once, and reads what it had', async () => {
    const { store, lead, asked } = await faultyStore();
    lead({ kind: 'Following', leader: 'pod-b' });
    const writes = [
      store.commit({ services: [record('alpha', 2)] }),
      store.saveProxies([proxySeen({ id: 'a' })]),
      store.saveWatchers({ saved: [watcherSeen({ service: 'alpha' })], forgotten: [] }),
      store.appendMeasurements([]),
      store.saveTraffic([]),
      store.backup('/nowhere'),
    ];
    for (const write of writes) {
      await expect(write).rejects.toThrow(NotLeaderError);
      await expect(write).rejects.toMatchObject({ leader: 'pod-b' });
    }
    expect(asked).toEqual([]);
    expect((await store.load()).services).toHaveLength(2);
    expect(await store.watchers()).toEqual([]);
    // It leads again, and another one may have led meanwhile: what is held here may be old.
    lead({ kind: 'Leading', term: 2 });
    await expect(store.commit({ services: [record('alpha', 2)] })).rejects.toThrow(NotLeaderError);
  });
});
