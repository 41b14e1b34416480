/** To whom every workflow store must give tasks, and for how long. */
import { describe, expect, test } from 'vitest';
import { tenantName } from '../../../src/model/names.ts';
import type { TaskId } from '../../../src/model/workflow.ts';
import { eventually } from '../../support/eventually.ts';
import { ACME, delegateWorker, newTask, slots, V1, V2, worker } from '../../support/workflow/builders.ts';
import {
  claimed,
  claimedSoon,
  claimedTasks,
  DONE,
  finished,
  LONG,
  line,
  type MakeWorkflowDatabase,
  only,
  SHORT,
  taskLeaseOf,
  taskSoon,
  withTasks,
  worldOf,
} from './world.ts';

const BETA = tenantName('beta');

export function taskLeasesContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: who is given a task`, () => {
    test('a task comes to a delegate as the step made it, and its history says to which', async () => {
      const store = await world.store();
      const { id } = await withTasks(
        store,
        [
          newTask('build', {
            kind: 'http',
            payload: { url: 'x' },
            tags: ['linux'],
            timeout: 5_000,
            maxAttempts: 2,
          }),
        ],
        { priority: 8 },
      );
      expect(only(await store.openTasks(id))).not.toHaveProperty('delegate');
      const before = await store.now();
      const claim = only(await claimedTasks(store, [slots({ tags: ['x64', 'linux'] })]));
      expect(claim.delegate).toBe('box-1');
      expect(claim.lease.until).toBeGreaterThanOrEqual(before + LONG);
      expect(claim.task).toEqual({
        id: claim.task.id,
        execution: id,
        tenant: ACME,
        version: V1,
        key: 'build',
        kind: 'http',
        payload: { url: 'x' },
        tags: ['linux'],
        priority: 8,
        timeout: 5_000,
        attempt: 1,
        maxAttempts: 2,
      });
      expect(await store.openTasks(id)).toEqual([{ task: claim.task, delegate: 'box-1' }]);
      expect(await line(store, id, 'TaskCreated')).toMatchObject({
        task: claim.task.id,
        step: 'build',
        revision: 1,
        version: V1,
      });
      expect(await line(store, id, 'TaskLeased')).toMatchObject({
        task: claim.task.id,
        step: 'build',
        token: claim.lease.token,
        worker: worker(),
        delegate: delegateWorker('box-1'),
        revision: 1,
        version: V1,
      });
    });

    test.each([
      { why: 'of another tenant', places: slots({ tenant: BETA }) },
      { why: 'of another version', places: slots({ version: V2 }) },
      { why: 'that lacks a tag', places: slots({ tags: ['linux'] }) },
      { why: 'without a free place', places: slots({ tags: ['linux', 'x64'], free: 0 }) },
    ])('a delegate $why gets nothing', async ({ places }) => {
      const store = await world.store();
      await withTasks(store, [newTask('build', { tags: ['linux', 'x64'] })]);
      expect(await claimedTasks(store, [places])).toEqual([]);
      expect(await claimedTasks(store, [slots({ tags: ['x64', 'linux', 'gpu'] })])).toHaveLength(1);
    });

    test('a delegate that continues a version gets its tasks', async () => {
      const store = await world.store();
      await withTasks(store);
      const claim = only(await claimedTasks(store, [slots({ version: V2, versions: [V2, V1] })]));
      expect(claim.task.version).toBe(V1);
      expect((await line(store, claim.task.execution, 'TaskLeased')).delegate).toEqual(
        delegateWorker('box-1', V2),
      );
    });

    test('each delegate gets at most as many as it has places, and no task goes to two', async () => {
      const store = await world.store();
      await withTasks(
        store,
        Array.from({ length: 6 }, (_, index) => newTask(`t${index}`)),
      );
      const claims = await claimedTasks(store, [
        slots({ delegate: 'a', free: 2 }),
        slots({ delegate: 'b', free: 3 }),
      ]);
      expect(claims.map(({ delegate }) => delegate).toSorted()).toEqual(['a', 'a', 'b', 'b', 'b']);
      expect(new Set(claims.map(({ task }) => task.id)).size).toBe(5);
    });

    test('tasks go by priority, then by age, whatever tags they need', async () => {
      const store = await world.store();
      await withTasks(store, [newTask('a'), newTask('b', { tags: ['linux'] }), newTask('c')], {
        priority: 2,
      });
      await withTasks(store, [newTask('d', { tags: ['linux'] }), newTask('e')], { priority: 7 });
      const keys: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        keys.push(only(await claimedTasks(store, [slots({ free: 1, tags: ['linux'] })])).task.key);
      }
      expect(keys).toEqual(['d', 'e', 'a', 'b', 'c']);
    });

    test('a delayed task is not given out before its time', async () => {
      const store = await world.store();
      const { updatedAt } = await withTasks(store, [newTask('build', { delay: 300 })]);
      expect(await claimedTasks(store)).toEqual([]);
      await taskSoon(store);
      expect(await store.now()).toBeGreaterThanOrEqual(updatedAt + 300);
    });
  });

  describe(`a ${adapter} workflow store: leases of tasks`, () => {
    test('a task whose lease has run out is given out again with a higher token, and the late result counts for nothing', async () => {
      const [one, two] = await world.stores();
      const { id } = await withTasks(one);
      const first = only(await claimedTasks(one, undefined, SHORT));
      expect(await claimedTasks(two)).toEqual([]);
      const second = await taskSoon(two, [slots({ delegate: 'box-2' })]);
      expect(second.task).toEqual({ ...first.task, attempt: 2 });
      expect(second.lease.token).toBeGreaterThan(first.lease.token);
      expect(await finished(one, first)).toBe('Superseded');
      expect(await one.returnTask(taskLeaseOf(first))).toBe(false);
      expect(
        await one.renewTasks({ leases: [taskLeaseOf(first), taskLeaseOf(second)], lease: LONG }),
      ).toEqual([taskLeaseOf(first)]);
      expect(await claimed(one)).toEqual([]);
      expect(await finished(two, second)).toBe('Finished');
      expect(await finished(one, first)).toBe('Superseded');
      expect(await claimed(one)).toHaveLength(1);
      expect((await line(one, id, 'TaskFinished')).token).toBe(second.lease.token);
    });

    test('a renewed lease does not run out, also where another manager renews it after its time', async () => {
      const [one, two] = await world.stores();
      await withTasks(one);
      const claim = only(await claimedTasks(one, undefined, SHORT));
      await eventually(async () => (await one.now()) > claim.lease.until);
      expect(await two.renewTasks({ leases: [taskLeaseOf(claim)], lease: LONG })).toEqual([]);
      expect(await claimedTasks(one)).toEqual([]);
      expect(await finished(two, claim)).toBe('Finished');
    });

    test('a result that comes after the time of its lease counts, as long as nobody else has the task', async () => {
      const store = await world.store();
      await withTasks(store);
      const claim = only(await claimedTasks(store, undefined, 1));
      await eventually(async () => (await store.now()) > claim.lease.until);
      expect(await finished(store, claim)).toBe('Finished');
    });

    test('a task whose last attempt is lost fails for good', async () => {
      const store = await world.store();
      const { id } = await withTasks(store, [newTask('build', { maxAttempts: 2 })]);
      const first = only(await claimedTasks(store, undefined, 1));
      await eventually(async () => (await store.now()) > first.lease.until);
      const second = await taskSoon(store, undefined, 1);
      const event = await eventually(async () => {
        await claimedTasks(store);
        return (await claimed(store))[0];
      });
      expect(event.event).toMatchObject({
        kind: 'TaskFinished',
        payload: { key: 'build', outcome: { kind: 'Failed', error: expect.stringContaining('lease') } },
      });
      expect(await store.openTasks(id)).toEqual([]);
      expect(await finished(store, second)).toBe('Superseded');
      expect(await line(store, id, 'TaskFinished')).toMatchObject({ task: second.task.id, step: 'build' });
    });

    test('it fails for good also when no delegate is left', async () => {
      const store = await world.store();
      await withTasks(store, [newTask('build', { maxAttempts: 1 })]);
      only(await claimedTasks(store, undefined, 1));
      expect((await claimedSoon(store)).event.kind).toBe('TaskFinished');
    });

    test('a task that a delegate did not begin is due at once, and the attempt does not count', async () => {
      const store = await world.store();
      await withTasks(store, [newTask('build', { maxAttempts: 1 })]);
      const first = only(await claimedTasks(store));
      expect(await store.returnTask(taskLeaseOf(first))).toBe(true);
      expect(await store.returnTask(taskLeaseOf(first))).toBe(false);
      expect(await finished(store, first)).toBe('Superseded');
      expect(await store.renewTasks({ leases: [taskLeaseOf(first)], lease: LONG })).toEqual([
        taskLeaseOf(first),
      ]);
      const second = only(await claimedTasks(store));
      expect(second.task.attempt).toBe(1);
      expect(second.lease.token).toBeGreaterThan(first.lease.token);
      expect(await finished(store, second)).toBe('Finished');
    });

    for (const [whose, foreign] of [
      ['another tenant', { tenant: BETA }],
      ['a version that may not touch it', { versions: [V2] }],
    ] as const) {
      test(`what ${whose} says of a task counts for nothing, though task and token are right`, async () => {
        const store = await world.store();
        await withTasks(store);
        const claim = only(await claimedTasks(store));
        const [own, lease] = [taskLeaseOf(claim), { ...taskLeaseOf(claim), ...foreign }];
        expect(await store.renewTasks({ leases: [own, lease], lease: LONG })).toEqual([lease]);
        expect(await store.returnTask(lease)).toBe(false);
        const result = { lease, outcome: DONE, backoff: 0, worker: worker(), delegate: delegateWorker() };
        expect(await store.finishTask(result)).toBe('Superseded');
        expect(await finished(store, claim)).toBe('Finished');
      });
    }

    test('an unknown task is lost, and its result counts for nothing', async () => {
      const store = await world.store();
      const lease = { task: 'nothing' as TaskId, token: 1, tenant: ACME, versions: [V1] };
      expect(await store.renewTasks({ leases: [lease], lease: LONG })).toEqual([lease]);
      expect(await store.returnTask(lease)).toBe(false);
      expect(
        await store.finishTask({
          lease,
          outcome: DONE,
          backoff: 0,
          worker: worker(),
          delegate: delegateWorker(),
        }),
      ).toBe('Superseded');
    });
  });
}
