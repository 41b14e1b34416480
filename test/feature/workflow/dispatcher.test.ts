// The loop over tasks, with the SQLite store and delegates that are a few functions.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { instant } from '../../../src/model/instant.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import type { WorkflowStore } from '../../../src/ports/workflow-store.ts';
import type { Machine } from '../../../src/workflow/machine.ts';
import { Dispatcher, type DispatcherListener } from '../../../src/workflow/runner/dispatcher.ts';
import { Runner } from '../../../src/workflow/runner/runner.ts';
import { eventually } from '../../support/eventually.ts';
import { ACME, delegateWorker, newTask, step, V1 } from '../../support/workflow/builders.ts';
import { keeping, openStore, running, start, useLoops, workerOf } from '../../support/workflow/loops.ts';

useLoops();

describe('a dispatcher', () => {
  const quiet: DispatcherListener = { onAssigned: () => {}, onFinished: () => {}, onFault: () => {} };
  const link = { assign: () => {}, stop: () => {}, end: () => {} };

  /** Counts what the store is asked. */
  function counted(store: WorkflowStore) {
    const calls = { claimTasks: 0, slots: 0, saved: 0, renewTasks: 0 };
    const observed: WorkflowStore = {
      ...store,
      claimTasks(request) {
        calls.claimTasks += 1;
        calls.slots += request.slots.length;
        return store.claimTasks(request);
      },
      renewTasks(request) {
        calls.renewTasks += 1;
        return store.renewTasks(request);
      },
      saveDelegates(manager, delegates) {
        calls.saved += 1;
        return store.saveDelegates(manager, delegates);
      },
    };
    return { calls, store: observed };
  }

  function dispatching(store: WorkflowStore, more: { lease?: number; listener?: DispatcherListener } = {}) {
    const dispatcher = new Dispatcher({
      store,
      clock: systemClock,
      worker: workerOf('m'),
      listener: quiet,
      pollEvery: 200,
      saveEvery: 500,
      ...more,
    });
    running(dispatcher);
    return dispatcher;
  }

  const arrival = (index: number) => ({
    worker: delegateWorker(`box-${index}`),
    tenant: tenantName(`tenant-${index % 100}`),
    tags: [],
    capacity: 1,
    running: [],
  });

  test('has thousands of delegates at the price of a few calls, and the store knows them all', async () => {
    const { store, calls } = counted(await openStore());
    const dispatcher = dispatching(store);
    for (let index = 0; index < 3_000; index += 1) await dispatcher.connect(arrival(index), link);
    await eventually(
      async () => (await store.delegates({ version: V1, since: await store.now() })).length >= 0,
    );
    await eventually(async () => {
      const since = instant((await store.now()) - 60_000);
      return (await store.delegates({ version: V1, since })).length === 3_000;
    });
    expect(dispatcher.connected).toBe(3_000);
    const before = { ...calls };
    await sleep(1_000);
    // At the poll, three claims for 1,000 places each: no call for each delegate.
    expect(calls.claimTasks - before.claimTasks).toBeLessThanOrEqual(3 * 8);
    expect(calls.saved - before.saved).toBeLessThanOrEqual(3);
    expect(calls.renewTasks).toBe(0);
  });

  test('ends the stream of a delegate that is silent for a lease, and the older stream of one that came again', async () => {
    const dispatcher = dispatching(await openStore(), { lease: 400 });
    const ends: string[] = [];
    const telling = (name: string) => ({
      ...link,
      end: (reason: string) => void ends.push(`${name}: ${reason}`),
    });
    await dispatcher.connect(arrival(1), telling('first'));
    const { delegate } = await dispatcher.connect(arrival(1), telling('second'));
    expect(ends).toEqual(['first: the delegate came on another stream']);
    expect(dispatcher.connected).toBe(1);
    await eventually(() => dispatcher.connected === 0);
    expect(ends.at(-1)).toBe('second: nothing was heard for 400 ms');
    delegate.leave();
  });

  test('takes a result that is too large as a failure, in words', async () => {
    const store = await openStore();
    const asking: Machine = {
      name: 'asking',
      step: ({ event }) =>
        event.kind === 'Start'
          ? step({
              tasks: [newTask('big', { maxAttempts: 1 })],
            })
          : step({ end: { state: 'Failed', error: JSON.stringify(event.payload) } }),
    };
    const { listener } = keeping();
    const runner = new Runner({
      store,
      clock: systemClock,
      worker: workerOf('m'),
      machines: [asking],
      listener,
      pollEvery: 20,
    });
    running(runner);
    const dispatcher = dispatching(store);
    const assigned = Promise.withResolvers<{ task: string; token: number }>();
    const { delegate } = await dispatcher.connect(
      { ...arrival(0), tenant: ACME },
      { ...link, assign: ({ task, lease }) => assigned.resolve({ task: task.id, token: lease.token }) },
    );
    const outcome = await start(store, 'asking');
    if (outcome.kind !== 'Started') throw new Error(outcome.kind);
    const { task, token } = await assigned.promise;
    const big: TaskOutcome = { kind: 'Succeeded', result: 'x'.repeat(2_000_000) };
    expect(await delegate.finish({ task: task as never, token }, big)).toBe('Finished');
    const ended = await eventually(async () => {
      const execution = await store.execution(outcome.execution.id);
      return execution?.state === 'Failed' ? execution : undefined;
    });
    expect(ended.error).toContain('keep large data elsewhere');
  });
});
