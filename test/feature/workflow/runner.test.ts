// The loop over events, with the SQLite store and machines of the test's own.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { MAX_EVENT_ATTEMPTS, type WorkflowStore } from '../../../src/ports/workflow-store.ts';
import type { Machine } from '../../../src/workflow/machine.ts';
import { WorkflowHost } from '../../../src/workflow/runner/host.ts';
import { Runner } from '../../../src/workflow/runner/runner.ts';
import { eventually } from '../../support/eventually.ts';
import { step, V1 } from '../../support/workflow/builders.ts';
import { keeping, openStore, running, start, useLoops, workerOf } from '../../support/workflow/loops.ts';

useLoops();

/** Appends as many events at once as it is asked for, and ends when all of them were counted. */
const counting: Machine = {
  name: 'counting',
  step({ execution, event }) {
    if (event.kind === 'Start') {
      const wanted = event.payload as number;
      const events = Array.from({ length: wanted }, () => ({ kind: 'Count', payload: null }));
      return step({ data: { wanted, counted: 0 }, events });
    }
    const { wanted, counted } = execution.data as { wanted: number; counted: number };
    const data = { wanted, counted: counted + 1 };
    return step({
      data,
      ...(data.counted === wanted && { end: { state: 'Succeeded', result: data.counted, error: '' } }),
    });
  },
};

const faulty: Machine = {
  name: 'faulty',
  step: () => {
    throw new Error('this machine\nis broken');
  },
};

describe('a runner', () => {
  test('that shares an execution with others decides again where another event came in between: each counts once', async () => {
    const stores = [await openStore(), await openStore()];
    const runners = stores.map((store, index) => {
      const { told, listener } = keeping();
      const runner = new Runner({
        store,
        clock: systemClock,
        worker: workerOf(`m${index}`),
        machines: [counting],
        listener,
        pollEvery: 50,
      });
      running(runner);
      return told;
    });
    const [store] = stores;
    if (store === undefined) throw new Error('no store');
    const outcome = await start(store, 'counting', 100);
    if (outcome.kind !== 'Started') throw new Error(outcome.kind);
    const ended = await eventually(async () => {
      const execution = await store.execution(outcome.execution.id);
      return execution?.state === 'Succeeded' ? execution : undefined;
    });
    expect([ended.result, ended.revision]).toEqual([100, 101]);
    await eventually(() => runners.reduce((sum, { applied }) => sum + applied, 0) === 101);
    expect(runners.flatMap(({ givenBack, faults }) => [...givenBack, ...faults])).toEqual([]);
  });

  test('gives back what its machine cannot take, with the error in one line, until the event is a dead letter', async () => {
    const store = await openStore();
    const { told, listener } = keeping();
    running(
      new Runner({
        store,
        clock: systemClock,
        worker: workerOf('m'),
        machines: [faulty],
        listener,
        pollEvery: 20,
        backoff: { initial: 5, max: 10 },
      }),
    );
    await start(store, 'faulty');
    await start(store, 'unknown');
    const dead = await eventually(async () => {
      const letters = await store.deadLetters({ limit: 10 });
      return letters.length === 2 ? letters : undefined;
    });
    expect(dead.map(({ error }) => error).toSorted()).toEqual([
      'this machine is broken',
      'this manager has no machine "unknown"',
    ]);
    expect(told.givenBack).toHaveLength(2 * MAX_EVENT_ATTEMPTS);
    expect(told.applied).toBe(0);
    expect(await store.count(V1)).toMatchObject({ executions: 2, deadLetters: 2 });
  });

  test('keeps its leases while the store is slow, so that nobody else begins the same', async () => {
    const store = await openStore();
    const slow: WorkflowStore = {
      ...store,
      async apply(request) {
        await sleep(900);
        return store.apply(request);
      },
    };
    const [first, second] = [keeping(), keeping()];
    const options = { clock: systemClock, machines: [counting], lease: 300, pollEvery: 30 };
    running(new Runner({ ...options, store: slow, worker: workerOf('slow'), listener: first.listener }));
    await start(store, 'counting', 1);
    await eventually(async () => (await store.count(V1)).events.leased === 1);
    running(new Runner({ ...options, store, worker: workerOf('quick'), listener: second.listener }));
    await eventually(() => first.told.applied === 1);
    expect([first.told.lost, second.told.lost]).toEqual([0, 0]);
    await eventually(async () => (await store.count(V1)).executions === 0);
    expect(first.told.applied + second.told.applied).toBe(2);
  });

  test('that is told to stop takes nothing new and finishes what it has', async () => {
    const store = await openStore();
    const gate = Promise.withResolvers<void>();
    const held: WorkflowStore = {
      ...store,
      async apply(request) {
        await gate.promise;
        return store.apply(request);
      },
    };
    const { told, listener } = keeping();
    const runner = new Runner({
      store: held,
      clock: systemClock,
      worker: workerOf('m'),
      machines: [counting],
      listener,
      pollEvery: 20,
      concurrency: 3,
    });
    const stop = running(runner);
    for (let count = 0; count < 5; count += 1) await start(store, 'counting', 1);
    await eventually(() => runner.working === 3);
    const stopped = stop();
    gate.resolve();
    await stopped;
    expect(told.applied).toBe(3);
    // Two that it never had, and what the three steps appended.
    expect((await store.count(V1)).events).toEqual({ queued: 5, leased: 0, delayed: 0 });
  });
});

test('a host removes executions that ended long ago, with their history, and no others', async () => {
  const store = await openStore();
  const { listener } = keeping();
  const host = (keepEnded: number) =>
    new WorkflowHost({
      store,
      clock: systemClock,
      worker: workerOf('m'),
      machines: [counting],
      keepEnded,
      pollEvery: 50,
      listener: { ...listener, onAssigned: () => {}, onFinished: () => {} },
    });
  const stop = new AbortController();
  const keeper = host(60_000).run(stop.signal);
  const [ended, open] = [await start(store, 'counting', 1), await start(store, 'counting', 0)];
  if (ended.kind === 'Fenced' || open.kind === 'Fenced') throw new Error('fenced');
  await eventually(async () => (await store.execution(ended.execution.id))?.state === 'Succeeded');
  stop.abort();
  await keeper;
  expect(await store.executions({ limit: 10 })).toHaveLength(2);

  const next = new AbortController();
  const pruning = host(0).run(next.signal);
  await eventually(async () => (await store.executions({ limit: 10 })).length === 1);
  next.abort();
  await pruning;
  expect(await store.execution(open.execution.id)).toMatchObject({ state: 'Running' });
  expect(await store.history(ended.execution.id)).toEqual([]);
});
