/** What every workflow store must do with executions: start, step by step, end, and again. */
import { describe, expect, test } from 'vitest';
import { ACME, ending, newEvent, newTask, step, V1, worker } from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedSoon,
  claimedTasks,
  existing,
  failed,
  kinds,
  leaseOf,
  type MakeWorkflowDatabase,
  started,
  taskLeaseOf,
  withTasks,
  worldOf,
} from './world.ts';

export function executionsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: executions`, () => {
    test('an execution begins at revision 0, running, with the event Start', async () => {
      const store = await world.store();
      const before = await store.now();
      const execution = await started(store, { name: 'deploy', priority: 7 });
      expect(execution).toMatchObject({
        tenant: ACME,
        version: V1,
        machine: 'counter',
        name: 'deploy',
        priority: 7,
        state: 'Running',
        data: { count: 0 },
        revision: 0,
        error: '',
      });
      expect(execution).not.toHaveProperty('deadline');
      expect(execution).not.toHaveProperty('endedAt');
      expect(execution.startedAt).toBeGreaterThanOrEqual(before);
      expect(execution.updatedAt).toBe(execution.startedAt);
      expect(await store.execution(execution.id)).toEqual(execution);
      const claim = await claimedOne(store);
      expect(claim.execution).toEqual(execution);
      expect(claim.event).toMatchObject({
        execution: execution.id,
        tenant: ACME,
        version: V1,
        kind: 'Start',
        payload: { begin: true },
        priority: 7,
        attempt: 1,
      });
      expect(await store.history(execution.id)).toEqual([
        {
          execution: execution.id,
          sequence: 1,
          at: execution.startedAt,
          kind: 'Started',
          revision: 0,
          version: V1,
          worker: worker(),
          step: expect.any(String),
          detail: expect.any(String),
        },
      ]);
    });

    test('a step replaces the data, raises the revision by one and acknowledges its event', async () => {
      const store = await world.store();
      const { id } = await started(store);
      const claim = await claimedOne(store);
      const data = { count: 1, 'näme "quoted"': [null, true, -1.5e30, 'ü\u0000\u2028', { deep: [] }] };
      await applied(store, claim, { data });
      const execution = await existing(store, id);
      expect(execution).toMatchObject({ state: 'Running', revision: 1, data });
      expect(execution.updatedAt).toBeGreaterThanOrEqual(execution.startedAt);
      expect(await claimed(store)).toEqual([]);
    });

    test('what a step appends can be claimed, each event with its payload, in the order of the step', async () => {
      const store = await world.store();
      await started(store);
      await applied(store, await claimedOne(store), {
        data: { count: 1 },
        events: [
          newEvent('First', { payload: [1] }),
          newEvent('Second', { payload: 'two' }),
          newEvent('Third'),
        ],
      });
      const claims = await claimed(store);
      expect(claims.map(({ event }) => [event.kind, event.payload])).toEqual([
        ['First', [1]],
        ['Second', 'two'],
        ['Third', null],
      ]);
      expect(claims.map(({ execution }) => execution.revision)).toEqual([1, 1, 1]);
    });

    test.each(['Succeeded', 'Failed', 'Cancelled'] as const)(
      'an execution ends as %s with what it came to',
      async (state) => {
        const store = await world.store();
        const { id } = await started(store);
        const error = state === 'Succeeded' ? '' : 'somebody did not like it';
        await applied(store, await claimedOne(store), { end: { state, result: { made: 3 }, error } });
        const execution = await existing(store, id);
        expect(execution).toMatchObject({ state, result: { made: 3 }, error, revision: 1 });
        expect(execution.endedAt).toBe(execution.updatedAt);
        expect(await kinds(store, id)).toEqual(['Started', 'Stepped', 'Ended']);
      },
    );

    test('an execution that has ended leaves no event and no task, whether they were queued, delayed or leased', async () => {
      const store = await world.store();
      const { id } = await withTasks(
        store,
        [newTask('build'), newTask('test'), newTask('later', { delay: 60_000 })],
        { timeout: 60_000 },
      );
      const [task] = await claimedTasks(store);
      await store.command({ execution: id, kind: 'Approve', payload: null, by: 'ada', worker: worker() });
      await applied(store, await claimedOne(store), {
        events: [newEvent('A'), newEvent('B'), newEvent('C', { delay: 60_000 })],
      });
      const [first, second] = await claimed(store);
      if (first === undefined || second === undefined || task === undefined)
        throw new Error('nothing was claimed');
      await applied(store, first, {
        ...ending(),
        events: [newEvent('Late')],
        tasks: [newTask('late')],
      });
      const counted = await store.count(V1);
      expect(counted).toMatchObject({
        executions: 0,
        events: { queued: 0, leased: 0, delayed: 0 },
        tasks: { queued: 0, leased: 0, delayed: 0 },
        deadLetters: 0,
      });
      expect(await store.openTasks(id)).toEqual([]);
      expect(
        await store.apply({
          lease: leaseOf(second),
          revision: second.execution.revision,
          step: step(),
          worker: worker(),
        }),
      ).toEqual({ kind: 'LeaseLost' });
      expect(await store.renewTasks({ leases: [taskLeaseOf(task)], lease: 1000 })).toEqual([
        taskLeaseOf(task),
      ]);
      const history = await store.history(id);
      expect(
        history
          .filter(({ kind }) => kind === 'TaskCancelled')
          .map((entry) => entry.step)
          .toSorted(),
      ).toEqual(['build', 'later', 'test']);
      expect(history.at(-1)?.kind).toBe('Ended');
    });

    test('a deadline is an event Timeout at its time', async () => {
      const store = await world.store();
      const execution = await started(store, { timeout: 300 });
      expect(execution.deadline).toBe(execution.startedAt + 300);
      await applied(store, await claimedOne(store));
      const timeout = await claimedSoon(store);
      expect(timeout.event).toMatchObject({ kind: 'Timeout', payload: null, dueAt: execution.deadline });
      expect(await store.now()).toBeGreaterThanOrEqual(execution.startedAt + 300);
    });

    test('a failed execution runs again after Retry, with its whole time anew', async () => {
      const store = await world.store();
      const execution = await failed(store, { timeout: 60_000 });
      expect(
        await store.command({
          execution: execution.id,
          kind: 'Retry',
          payload: { from: 'test' },
          by: 'ada',
          worker: worker(),
        }),
      ).toBe('Appended');
      const claim = await claimedOne(store);
      expect(claim).toMatchObject({
        event: { kind: 'Retry', payload: { from: 'test' } },
        execution: { state: 'Failed' },
      });
      await applied(store, claim, { events: [newEvent('Again')] });
      const running = await existing(store, execution.id);
      expect(running).toMatchObject({ state: 'Running', error: '', revision: 2 });
      expect(running).not.toHaveProperty('endedAt');
      expect(running).not.toHaveProperty('result');
      expect(running.deadline).toBe(running.updatedAt + 60_000);
      expect(await store.count(V1)).toMatchObject({ executions: 1, events: { queued: 1, delayed: 1 } });
    });

    test('a retry may end the execution again', async () => {
      const store = await world.store();
      const { id } = await failed(store);
      await store.command({ execution: id, kind: 'Retry', payload: null, by: 'ada', worker: worker() });
      await applied(store, await claimedOne(store), {
        end: { state: 'Failed', error: 'it still does not work' },
      });
      expect(await existing(store, id)).toMatchObject({ state: 'Failed', error: 'it still does not work' });
      expect(await kinds(store, id)).toEqual([
        'Started',
        'Stepped',
        'Ended',
        'Commanded',
        'Stepped',
        'Ended',
      ]);
    });
  });
}
