/** Which results of tasks every workflow store must take, and what it must do with them. */
import { describe, expect, test } from 'vitest';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import { MAX_PAYLOAD_BYTES, PayloadTooLargeError } from '../../../src/ports/workflow-store.ts';
import {
  delegateWorker,
  ending,
  newEvent,
  newTask,
  slots,
  V1,
  worker,
} from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedTasks,
  DONE,
  finished,
  kinds,
  LONG,
  line,
  type MakeWorkflowDatabase,
  only,
  started,
  taskLeaseOf,
  taskSoon,
  withTasks,
  worldOf,
} from './world.ts';

const BROKEN: TaskOutcome = { kind: 'Failed', error: 'exit code 1', retryable: true };
const HOPELESS: TaskOutcome = { kind: 'Failed', error: 'no such program', retryable: false };

export function taskResultsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: results of tasks`, () => {
    test.each([DONE, HOPELESS])(
      'a result is the event TaskFinished with key and outcome ($kind)',
      async (outcome) => {
        const store = await world.store();
        const { id } = await withTasks(store, undefined, { priority: 8 });
        const claim = only(await claimedTasks(store));
        expect(await finished(store, claim, outcome)).toBe('Finished');
        expect(await store.openTasks(id)).toEqual([]);
        const { event } = await claimedOne(store);
        expect(event).toMatchObject({
          kind: 'TaskFinished',
          payload: { key: 'build', outcome },
          execution: id,
          version: V1,
          priority: 8,
        });
        expect(await line(store, id, 'TaskFinished')).toMatchObject({
          task: claim.task.id,
          token: claim.lease.token,
          step: 'build',
          delegate: delegateWorker('box-1'),
          worker: worker(),
          revision: 1,
        });
      },
    );

    test('a result that is reported again is a duplicate and makes no second event', async () => {
      const [one, two] = await world.stores();
      await withTasks(one);
      const claim = only(await claimedTasks(one));
      expect(await finished(one, claim)).toBe('Finished');
      expect(await finished(two, claim)).toBe('Duplicate');
      expect(await claimed(one)).toHaveLength(1);
      expect(await finished(one, claim)).toBe('Duplicate');
    });

    test('of many reports of one result at once, one counts', async () => {
      const [one, two] = await world.stores();
      await withTasks(one);
      const claim = only(await claimedTasks(one));
      const outcomes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => finished(index % 2 === 0 ? one : two, claim)),
      );
      expect(outcomes.toSorted()).toEqual([...Array<string>(9).fill('Duplicate'), 'Finished']);
      expect(await claimed(one)).toHaveLength(1);
    });

    test('a result is a duplicate also after its execution has ended', async () => {
      const store = await world.store();
      await withTasks(store);
      const claim = only(await claimedTasks(store));
      await finished(store, claim);
      await applied(store, await claimedOne(store), ending());
      expect(await finished(store, claim)).toBe('Duplicate');
    });

    test('a failure that may be tried again is queued after its backoff, until its attempts are used up', async () => {
      const store = await world.store();
      const { id } = await withTasks(store, [newTask('build', { maxAttempts: 2 })]);
      const first = only(await claimedTasks(store));
      const before = await store.now();
      expect(await finished(store, first, BROKEN, 300)).toBe('Retried');
      expect(await finished(store, first, BROKEN, 300)).toBe('Duplicate');
      expect(await store.renewTasks({ leases: [taskLeaseOf(first)], lease: LONG })).toEqual([
        taskLeaseOf(first),
      ]);
      expect(await claimed(store)).toEqual([]);
      expect(await claimedTasks(store)).toEqual([]);
      expect((await store.count(V1)).tasks).toEqual({ queued: 0, leased: 0, delayed: 1 });
      expect(await line(store, id, 'TaskRetried')).toMatchObject({
        task: first.task.id,
        token: first.lease.token,
        step: 'build',
        detail: expect.stringContaining('exit code 1'),
        delegate: delegateWorker('box-1'),
      });
      const second = await taskSoon(store);
      expect(await store.now()).toBeGreaterThanOrEqual(before + 300);
      expect(second.task.attempt).toBe(2);
      expect(await finished(store, first, BROKEN)).toBe('Duplicate');
      expect(await finished(store, second, BROKEN)).toBe('Finished');
      expect((await claimedOne(store)).event.payload).toEqual({ key: 'build', outcome: BROKEN });
    });

    test('a result that is too large is refused, and the task is still held', async () => {
      const store = await world.store();
      await withTasks(store);
      const claim = only(await claimedTasks(store));
      await expect(
        finished(store, claim, { kind: 'Succeeded', result: 'x'.repeat(MAX_PAYLOAD_BYTES) }),
      ).rejects.toThrow(PayloadTooLargeError);
      expect(await claimed(store)).toEqual([]);
      expect(await finished(store, claim)).toBe('Finished');
    });

    test('a task that a step takes back is gone, and its delegate is told by its renewal and its result', async () => {
      const store = await world.store();
      const { id } = await withTasks(store, [newTask('build'), newTask('test')]);
      const [build] = await claimedTasks(store, [slots({ free: 1 })]);
      if (build === undefined) throw new Error('no task was given out');
      await store.command({ execution: id, kind: 'Approve', payload: null, by: 'ada', worker: worker() });
      await applied(store, await claimedOne(store), { cancelTasks: ['build', 'nothing'] });
      expect((await store.openTasks(id)).map(({ task }) => task.key)).toEqual(['test']);
      expect(await store.renewTasks({ leases: [taskLeaseOf(build)], lease: LONG })).toEqual([
        taskLeaseOf(build),
      ]);
      expect(await finished(store, build)).toBe('Superseded');
      expect(await claimed(store)).toEqual([]);
      expect(await line(store, id, 'TaskCancelled')).toMatchObject({
        task: build.task.id,
        step: 'build',
        revision: 2,
      });
    });

    test('a key is free again when its task is gone, or taken back in the same step', async () => {
      const store = await world.store();
      const { id } = await withTasks(store);
      await finished(store, only(await claimedTasks(store)));
      await applied(store, await claimedOne(store), { tasks: [newTask('build')], events: [newEvent('Go')] });
      await applied(store, await claimedOne(store), {
        cancelTasks: ['build'],
        tasks: [newTask('build', { payload: 2 })],
      });
      expect((await store.openTasks(id)).map(({ task }) => task.payload)).toEqual([2]);
    });

    test('a step with the key of another open task is refused by its name, and writes nothing', async () => {
      const store = await world.store();
      const { id } = await started(store);
      await applied(store, await claimedOne(store), { tasks: [newTask('build')], events: [newEvent('Go')] });
      const claim = await claimedOne(store);
      await expect(applied(store, claim, { tasks: [newTask('other'), newTask('build')] })).rejects.toThrow(
        /"build"/,
      );
      await expect(applied(store, claim, { tasks: [newTask('twin'), newTask('twin')] })).rejects.toThrow(
        RangeError,
      );
      expect((await store.openTasks(id)).map(({ task }) => task.key)).toEqual(['build']);
      expect(await kinds(store, id)).toEqual(['Started', 'Stepped', 'TaskCreated']);
      await applied(store, claim, ending());
    });
  });
}
