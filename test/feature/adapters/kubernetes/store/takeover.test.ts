// What a leader finds when it begins: after a restore, a deletion by hand, a newer release, a Lease that began anew.
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  CONTROLLER_STATE,
  SERVICE_ROUTING,
} from '../../../../../src/adapters/kubernetes/custom-resources.ts';
import { StateUnreadableError } from '../../../../../src/adapters/kubernetes/store/errors.ts';
import type { Objects, StoredObject } from '../../../../../src/adapters/kubernetes/store/objects.ts';
import {
  type RoutingObject,
  routingOf,
} from '../../../../../src/adapters/kubernetes/store/routing-object.ts';
import { NOTHING_SHOWN, nextShown } from '../../../../../src/adapters/kubernetes/store/shown.ts';
import { NO_DELEGATES } from '../../../../../src/goalstate/generation.ts';
import { instant } from '../../../../../src/model/instant.ts';
import { serviceName } from '../../../../../src/model/names.ts';
import type { Roll } from '../../../../../src/model/parity.ts';
import type { ServiceRecord } from '../../../../../src/model/state.ts';
import { SimulatedServer } from '../../../../support/kubernetes/simulated-server.ts';
import { openedStore } from '../../../../support/kubernetes/stores.ts';
import { temporaryFolder } from '../../../../support/store-folder.ts';
import { recordWith, rolloutRecord } from '../../../../support/stored-history.ts';
import { newEvent, proxySeen, serviceRecord } from '../../../../support/stored-records.ts';
import { watcherSeen } from '../../../../support/watchers.ts';

const { signal } = new AbortController();
const record = (name: string, generation = 1) => serviceRecord({ name, generation });
const roll: Roll = { kind: 'counted', fixedAt: instant(1), tenants: [] };
const rollout = rolloutRecord({ service: 'alpha' });

async function removed(objects: Objects, kind: typeof SERVICE_ROUTING, name: string): Promise<StoredObject> {
  const found = await objects.get<StoredObject>(kind, name, signal);
  await objects.delete(kind, { name, uid: found.metadata.uid ?? '' }, signal);
  return found;
}

async function edited(objects: Objects, change: (spec: RoutingObject['spec']) => object): Promise<void> {
  const found = await objects.get<RoutingObject>(SERVICE_ROUTING, 'alpha', signal);
  const spec = change(found.spec) as RoutingObject['spec'];
  await objects.replace(SERVICE_ROUTING, { ...found, spec }, { signal });
}

test('the past is whole for the first leader, and begins with its term for every other one', async () => {
  const first = await openedStore(new SimulatedServer().connect());
  expect(first.store.historySince).toBeUndefined();
  const before = Date.now();
  const { store } = await openedStore(await written());
  expect(store.historySince).toBeGreaterThanOrEqual(before);
  expect(await store.events({ limit: 10 })).toEqual([]);
});

/** A server that a leader has written something to. */
async function written(): Promise<Objects> {
  const objects = new SimulatedServer().connect();
  const { store } = await openedStore(objects);
  await store.commit({
    services: [recordWith(rollout), record('beta')],
    rolls: [{ rollout: rollout.id, roll }],
    nextPublication: 500,
    publication: 499,
    events: [newEvent({ action: 'Apply' })],
  });
  await store.saveProxies([proxySeen({ id: 'gateway' })]);
  await store.saveWatchers({ saved: [watcherSeen({ service: 'alpha' })], forgotten: [] });
  return objects;
}

test('the next leader has all of it, above all numbers of the one before, and in a term of its own', async () => {
  const objects = await written();
  const { store, told } = await openedStore(objects, { term: 4 });
  const { services, nextPublication, proxies, everWritten } = await store.load();
  expect(services).toEqual([recordWith(rollout), record('beta')]);
  expect(nextPublication).toBeGreaterThanOrEqual(500);
  expect(proxies).toEqual([proxySeen({ id: 'gateway' })]);
  expect(everWritten).toBe(true);
  expect(await store.watchers()).toEqual([watcherSeen({ service: 'alpha' })]);
  expect(await store.roll(rollout.id)).toEqual(roll);
  expect(await store.rollouts({ limit: 5 })).toEqual([rollout]);
  const [event] = await store.commit({ events: [newEvent({ action: 'Flip' })] });
  expect(event?.sequence).toBeGreaterThan(1);
  expect(store.term).toBe(4);
  const objectsNow = await objects.list<StoredObject>(SERVICE_ROUTING, signal);
  expect(objectsNow.map(({ spec }) => spec.term)).toEqual([4, 4]);
  expect(told.troubles).toEqual([]);
});

test('where the Lease was made anew its numbers are low; the term rises all the same', async () => {
  const objects = await written();
  const terms: number[] = [];
  for (let begun = 0; begun < 3; begun++) terms.push((await openedStore(objects, { term: 0 })).store.term);
  expect(terms).toEqual([1, 2, 3]);
});

describe('records that were restored', () => {
  test('without the counters are not an empty store, and no publication number is used twice', async () => {
    const objects = await written();
    await removed(objects, CONTROLLER_STATE, 'counters');
    const { store } = await openedStore(objects, { term: 0 });
    const { services, everWritten, nextPublication } = await store.load();
    expect(services).toHaveLength(2);
    expect(everWritten).toBe(true);
    expect(nextPublication).toBeGreaterThan(499);
    expect(store.term).toBe(1);
  });

  test('hold what the backup holds in another namespace, and note that boxes may have been told more since', async () => {
    const objects = new SimulatedServer().connect();
    const { store } = await openedStore(objects, { term: 7 });
    const withDelegates: ServiceRecord = { ...recordWith(rollout), delegates: NO_DELEGATES };
    await store.commit({
      services: [withDelegates, record('beta')],
      rolls: [{ rollout: rollout.id, roll }],
      nextPublication: 500,
    });
    await store.saveWatchers({ saved: [watcherSeen({ service: 'alpha' })], forgotten: [] });
    const file = join(temporaryFolder(), 'backup.json');
    await store.backup(file);
    await expect(store.backup(file)).rejects.toThrow(/EEXIST/);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const other = new SimulatedServer().connect();
    const { items } = JSON.parse(readFileSync(file, 'utf8')) as { readonly items: readonly StoredObject[] };
    for (const item of items) {
      const kind = item.kind === SERVICE_ROUTING.kind ? SERVICE_ROUTING : CONTROLLER_STATE;
      await other.create(kind, item, { signal });
    }
    const { store: restored } = await openedStore(other, { term: 0 });
    const { services, nextPublication, everWritten } = await restored.load();
    expect({ everWritten, isAbove: nextPublication >= 500 }).toEqual({ everWritten: true, isAbove: true });
    const [alpha, beta] = services;
    expect(beta).toEqual(record('beta'));
    expect(alpha?.delegates?.foreign).toMatchObject([{ above: 0 }]);
    expect({ ...alpha, delegates: NO_DELEGATES }).toEqual(withDelegates);
    expect(await restored.watchers()).toEqual([watcherSeen({ service: 'alpha' })]);
    expect(await restored.roll(rollout.id)).toEqual(roll);
    expect(restored.term).toBe(8);
    // The roll has its owner again, so that it goes with its service.
    const rolls = (await other.list<StoredObject>(CONTROLLER_STATE, signal)).filter(({ metadata }) =>
      metadata.name.startsWith('roll-'),
    );
    const { metadata } = await other.get(SERVICE_ROUTING, 'alpha', signal);
    expect(rolls.map((one) => one.metadata.ownerReferences?.[0]?.uid)).toEqual([metadata.uid]);
    // It was noted once: another start is no restore.
    const { store: again } = await openedStore(other, { term: 9 });
    expect((await again.load()).services[0]).toEqual(alpha);
  });
});

describe('what cannot be used is refused, and left as it is', () => {
  test('a record that is gone, although nobody deleted its service', async () => {
    const objects = await written();
    const gone = await removed(objects, SERVICE_ROUTING, 'beta');
    const opening = openedStore(objects, { term: 1 });
    await expect(opening).rejects.toThrow(StateUnreadableError);
    await expect(opening).rejects.toThrow(
      /ServiceRouting beta is gone.*kubectl create.*delete ControllerState counters/,
    );
    await objects.create(SERVICE_ROUTING, { ...gone, metadata: { name: 'beta' } }, { signal });
    const { store } = await openedStore(objects, { term: 2 });
    expect((await store.load()).services).toHaveLength(2);
  });

  test('or go on without it, where the counters are deleted as the message says', async () => {
    const objects = await written();
    await removed(objects, SERVICE_ROUTING, 'beta');
    await removed(objects, CONTROLLER_STATE, 'counters');
    const { store } = await openedStore(objects, { term: 1 });
    expect((await store.load()).services.map(({ name }) => name)).toEqual(['alpha']);
    // It was changed together with the one that is gone: no follower waits for that one any more.
    const routings = (await objects.list<RoutingObject>(SERVICE_ROUTING, signal)).map(routingOf);
    const shown = nextShown({
      before: NOTHING_SHOWN,
      routings: new Map(routings.map((routing) => [routing.record.name, routing])),
      services: [serviceName('alpha')],
      lastDeletion: 0,
      isLevel: true,
    });
    expect(shown.incomplete).toEqual([]);
  });

  test.each<[string, (spec: RoutingObject['spec']) => object, RegExp]>([
    [
      'a record of a newer release',
      (spec) => ({ ...spec, oldestReader: 99 }),
      /alpha was written by a newer release .*form 99/,
    ],
    [
      'a record that is damaged',
      (spec) => ({ ...spec, record: { ...spec.record, traffic: { kind: 'none of ours' } } }),
      /ServiceRouting alpha is damaged \(spec.record.traffic.kind is "none of ours"/,
    ],
    [
      "another service's record",
      (spec) => ({ ...spec, record: { ...spec.record, name: 'other', rollout: undefined } }),
      /ServiceRouting alpha holds the record of other/,
    ],
  ])('%s', async (_, change, message) => {
    const objects = await written();
    await edited(objects, change);
    await expect(openedStore(objects, { term: 1 })).rejects.toThrow(message);
  });

  test('a list that somebody has packed anew', async () => {
    const objects = await written();
    const found = await objects.list<StoredObject<{ data?: string; content: string }>>(
      CONTROLLER_STATE,
      signal,
    );
    const watchers = found.find(({ spec }) => spec.content === 'Watchers');
    if (watchers === undefined) throw new Error('there are watchers');
    await objects.replace(
      CONTROLLER_STATE,
      { ...watchers, spec: { ...watchers.spec, data: 'bm90IG91cnM=' } },
      { signal },
    );
    await expect(openedStore(objects, { term: 1 })).rejects.toThrow(
      /ControllerState watchers-\d+ is damaged/,
    );
  });
});

test('an ended rollout and its roll go with the rollout that takes its place, also from the server', async () => {
  const objects = await written();
  const { store, told } = await openedStore(objects, { term: 1 });
  const ended = { ...rollout, state: 'Aborted', stateReason: 'Superseded', endedAt: instant(9) } as const;
  const next = rolloutRecord({ service: 'alpha', version: 'v3', generation: 2 });
  await store.commit({ services: [recordWith(next, 2)], rollouts: [ended] });
  const contents = async () =>
    (await objects.list<StoredObject<{ content: string }>>(CONTROLLER_STATE, signal))
      .map(({ spec }) => spec.content)
      .filter((content) => content === 'Roll');
  expect(await contents()).toEqual([]);
  expect(told.ended).toEqual([ended]);
  expect(await store.rollouts({ service: serviceName('alpha'), limit: 5 })).toEqual([next, ended]);
});
