/** What every workflow store must do for a rollout: fences and counts, and the delegates of a version. */
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import {
  type DelegateId,
  type DelegateRegistration,
  type ManagerId,
  openWork,
} from '../../../src/model/workflow.ts';
import {
  ACME,
  ending,
  newExecution,
  newTask,
  slots,
  V1,
  V2,
  worker,
} from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedTasks,
  existing,
  type MakeWorkflowDatabase,
  started,
  taskLeaseOf,
  withTasks,
  worldOf,
} from './world.ts';

const V3 = versionName('v3');

function registration(wanted: Partial<DelegateRegistration> = {}): DelegateRegistration {
  return {
    delegate: 'box-1' as DelegateId,
    tenant: ACME,
    version: V1,
    tags: ['linux', 'x64'],
    capacity: 4,
    running: 1,
    manager: 'a' as ManagerId,
    since: instant(1_000),
    lastSeen: instant(5_000),
    ...wanted,
  };
}

export function drainsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: fences and counts`, () => {
    test('a fenced version takes no new executions, and others do', async () => {
      const store = await world.store();
      const work = await store.fenceAndCount(V1);
      expect(work.fencedSince).toBe(work.asOf);
      expect(await store.start(newExecution())).toEqual({ kind: 'Fenced', since: work.fencedSince });
      expect([await store.fencedSince(V1), await store.fencedSince(V2)]).toEqual([
        work.fencedSince,
        undefined,
      ]);
      await started(store, { version: V2 });
      expect(await store.executions({ limit: 10 })).toHaveLength(1);
      await store.lift(V1);
      await store.lift(V3);
      await started(store);
      expect(await store.count(V1)).not.toHaveProperty('fencedSince');
      expect(await store.fencedSince(V1)).toBeUndefined();
    });

    test('fencing again keeps the time and counts anew', async () => {
      const store = await world.store();
      await started(store);
      const first = await store.fenceAndCount(V1);
      await applied(store, await claimedOne(store), ending());
      const second = await store.fenceAndCount(V1);
      expect(second.fencedSince).toBe(first.fencedSince);
      expect([openWork(first), openWork(second)]).toEqual([2, 0]);
    });

    test('open work is counted as queued, leased and delayed, for each version alone', async () => {
      const store = await world.store();
      await started(store, { version: V2 });
      await withTasks(store, [newTask('a'), newTask('b'), newTask('c', { delay: 60_000 }), newTask('d')]);
      await claimedTasks(store, [slots({ free: 1 })]);
      await started(store);
      await started(store, { timeout: 60_000 });
      await claimed(store, { limit: 1 });
      const work = await store.count(V1);
      expect(work).toEqual({
        version: V1,
        asOf: work.asOf,
        executions: 3,
        events: { queued: 1, leased: 1, delayed: 1 },
        tasks: { queued: 2, leased: 1, delayed: 1 },
        deadLetters: 0,
      });
      expect(openWork(work)).toBe(10);
      expect(openWork(await store.count(V3))).toBe(0);
      expect(openWork(await store.count(V2))).toBe(2);
    });

    test('what was leased to somebody who is gone counts as queued', async () => {
      const store = await world.store();
      await withTasks(store);
      await started(store);
      await claimed(store, { lease: 0 });
      await claimedTasks(store, undefined, 0);
      expect(await store.count(V1)).toMatchObject({
        events: { queued: 1, leased: 0, delayed: 0 },
        tasks: { queued: 1, leased: 0, delayed: 0 },
      });
    });

    test('no start comes between a fence and its count: what is counted later was counted then', async () => {
      const [one, two] = await world.stores();
      for (const version of ['a', 'b', 'c', 'd', 'e'].map((name) => versionName(name))) {
        const starts: Promise<unknown>[] = [];
        for (let index = 0; index < 20; index += 1) {
          starts.push((index % 2 === 0 ? one : two).start(newExecution({ version })));
        }
        const fencing = two.fenceAndCount(version);
        for (let index = 0; index < 20; index += 1) {
          starts.push((index % 2 === 0 ? one : two).start(newExecution({ version })));
        }
        const fenced = await fencing;
        const outcomes = (await Promise.all(starts)) as { kind: string }[];
        const later = await one.count(version);
        expect(later.executions).toBe(fenced.executions);
        expect(outcomes.filter(({ kind }) => kind === 'Started')).toHaveLength(fenced.executions);
      }
    });
  });

  describe(`a ${adapter} workflow store: delegates`, () => {
    test('a manager replaces what it said of its delegates, and says nothing of those of others', async () => {
      const [one, two] = await world.stores();
      const box = (delegate: string, manager: string): DelegateRegistration =>
        registration({ delegate: delegate as DelegateId, manager: manager as ManagerId });
      await one.saveDelegates('a' as ManagerId, [box('box-1', 'a'), box('box-2', 'a')]);
      await two.saveDelegates('b' as ManagerId, [box('box-3', 'b')]);
      await one.saveDelegates('a' as ManagerId, [box('box-2', 'a')]);
      const found = await two.delegates({ since: instant(0) });
      expect(found.toSorted((x, y) => (x.delegate < y.delegate ? -1 : 1))).toEqual([
        box('box-2', 'a'),
        box('box-3', 'b'),
      ]);
      await two.saveDelegates('b' as ManagerId, []);
      expect(await one.delegates({ since: instant(0) })).toEqual([box('box-2', 'a')]);
    });

    test('delegates are asked for by version and by when they were last heard of', async () => {
      const store = await world.store();
      const old = registration({ lastSeen: instant(4_999) });
      const young = registration({ version: V2, lastSeen: instant(5_000), tenant: tenantName('beta') });
      await store.saveDelegates('a' as ManagerId, [old, young]);
      expect(await store.delegates({ since: instant(5_000) })).toEqual([young]);
      expect(await store.delegates({ since: instant(0), version: V1 })).toEqual([old]);
      expect(await store.delegates({ since: instant(0) })).toHaveLength(2);
    });

    test('of a delegate that came to several managers, the newest counts', async () => {
      const store = await world.store();
      const before = registration({ manager: 'a' as ManagerId, lastSeen: instant(5_000) });
      const now = registration({ manager: 'b' as ManagerId, lastSeen: instant(6_000), running: 3 });
      await store.saveDelegates('b' as ManagerId, [now]);
      await store.saveDelegates('a' as ManagerId, [before]);
      expect(await store.delegates({ since: instant(0) })).toEqual([now]);
      expect(await store.delegates({ since: instant(0), version: V1 })).toEqual([now]);
    });

    test('registrations that are older than what is pruned go too', async () => {
      const store = await world.store();
      const young = registration({ delegate: 'box-2' as DelegateId, lastSeen: instant(5_000) });
      await store.saveDelegates('a' as ManagerId, [registration({ lastSeen: instant(4_999) }), young]);
      expect(await store.prune({ before: instant(5_000), limit: 1 })).toBe(0);
      expect(await store.delegates({ since: instant(0) })).toEqual([young]);
    });
  });

  describe(`a ${adapter} workflow store: a version that drains`, () => {
    test('a fenced version ends its work, and its count comes to zero and stays there', async () => {
      const store = await world.store();
      const { id } = await withTasks(store);
      await store.fenceAndCount(V1);
      const [task] = await claimedTasks(store);
      if (task === undefined) throw new Error('no task was given out');
      await store.finishTask({
        lease: taskLeaseOf(task),
        outcome: { kind: 'Succeeded', result: null },
        backoff: 0,
        worker: worker(),
        delegate: { delegate: task.delegate, version: V1 },
      });
      expect(openWork(await store.fenceAndCount(V1))).toBe(2);
      await applied(store, await claimedOne(store), ending());
      expect(openWork(await store.fenceAndCount(V1))).toBe(0);
      expect(await store.start(newExecution())).toMatchObject({ kind: 'Fenced' });
      expect((await existing(store, id)).state).toBe('Succeeded');
      expect(openWork(await store.count(V1))).toBe(0);
    });
  });
}
