// The loops over a store, with the SQLite store and machines of the tests' own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { openWorkflowSqlite } from '../../../src/adapters/workflow-sqlite/store.ts';
import { instant } from '../../../src/model/instant.ts';
import type { Json } from '../../../src/model/json.ts';
import { tenantName } from '../../../src/model/names.ts';
import type { TaskOutcome } from '../../../src/model/workflow.ts';
import { MAX_EVENT_ATTEMPTS, type WorkflowStore } from '../../../src/ports/workflow-store.ts';
import type { Machine } from '../../../src/workflow/machine.ts';
import { Dispatcher, type DispatcherListener } from '../../../src/workflow/runner/dispatcher.ts';
import { Runner, type RunnerListener } from '../../../src/workflow/runner/runner.ts';
import { eventually } from '../../support/eventually.ts';
import {
  ACME,
  delegateWorker,
  newExecution,
  newTask,
  step,
  V1,
  worker,
} from '../../support/workflow/builders.ts';

let folder: string;
let undo: AsyncDisposableStack;
beforeEach(async () => {
  undo = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'switchyard-runner-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => undo.disposeAsync());

async function openStore(): Promise<WorkflowStore> {
  const store = await openWorkflowSqlite({ file: join(folder, 'workflow.db') });
  undo.defer(() => store.close());
  return store;
}

const workerOf = (name: string) => worker(V1, name);

/** A listener that keeps what it is told. */
function keeping() {
  const told = { applied: 0, givenBack: [] as string[], lost: 0, faults: [] as unknown[] };
  const listener: RunnerListener = {
    onApplied: () => void (told.applied += 1),
    onGivenBack: ({ error }) => void told.givenBack.push(error),
    onLost: () => void (told.lost += 1),
    onFault: ({ error }) => void told.faults.push(error),
  };
  return { told, listener };
}

function running(runner: Runner): () => Promise<void> {
  const stop = new AbortController();
  const ended = runner.run(stop.signal);
  const stopped = () => {
    stop.abort();
    return ended;
  };
  undo.defer(stopped);
  return stopped;
}

const start = (store: WorkflowStore, machine: string, input: Json = null) =>
  store.start(newExecution({ machine, input }));

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
        backoff: { initial: 5, most: 10 },
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
    const stop = new AbortController();
    const ended = dispatcher.run(stop.signal);
    undo.defer(() => {
      stop.abort();
      return ended;
    });
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
