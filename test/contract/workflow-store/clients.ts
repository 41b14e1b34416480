/** What every workflow store must do with several clients at once: wake-up, whole histories, and no step twice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExecutionId, HistoryEntry } from '../../../src/model/workflow.ts';
import type { ClaimedEvent, WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { eventually } from '../../support/eventually.ts';
import { full, seed } from '../../support/seed.ts';
import { delegateWorker, newTask, slots, V1, worker } from '../../support/workflow/builders.ts';
import { counted, counting, countingStep } from '../../support/workflow/counting.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedTasks,
  existing,
  LONG,
  leaseOf,
  type MakeWorkflowDatabase,
  started,
  taskLeaseOf,
  withTasks,
  worldOf,
} from './world.ts';

const CLIENTS = 2;
const RUNS = full() ? 100 : 8;

/** What one worker does with what it claims, by turns. */
type Deed = 'apply' | 'abandon' | 'giveBack' | 'applyTwice' | 'late';

interface Scenario {
  /** For each execution, how many steps it goes through one after the other in each of its two branches. */
  readonly executions: readonly number[];
  readonly workers: readonly (readonly Deed[])[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  executions: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
  workers: fc.array(
    fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant<Deed>('apply') },
        { weight: 1, arbitrary: fc.constantFrom<Deed>('abandon', 'giveBack', 'applyTwice', 'late') },
      ),
      { minLength: 1, maxLength: 12 },
    ),
    { minLength: 2, maxLength: 4 },
  ),
});

async function work(
  store: WorkflowStore,
  deeds: readonly Deed[],
  isOver: () => Promise<boolean>,
): Promise<void> {
  for (let turn = 0; !(await isOver()); turn += 1) {
    const deed = deeds[turn % deeds.length] as Deed;
    const lease = deed === 'abandon' || deed === 'late' ? 1 : LONG;
    for (const claim of await claimed(store, { limit: 2, lease })) await handle(store, claim, deed);
    for (const { task, lease: held, delegate } of await claimedTasks(store, [slots({ free: 2 })], lease)) {
      const result = {
        lease: { task: task.id, token: held.token, tenant: task.tenant, versions: [task.version] },
        outcome: { kind: 'Succeeded', result: turn } as const,
        backoff: 0,
        worker: worker(),
        delegate: delegateWorker(delegate),
      };
      if (deed === 'abandon') continue;
      if (deed === 'giveBack') await store.returnTask(result.lease);
      else {
        await store.finishTask(result);
        if (deed === 'applyTwice') expect(await store.finishTask(result)).toBe('Duplicate');
      }
    }
  }
}

/** Attempts are bounded, and a worker that only ever abandons must not use them up: the fifth attempt is applied. */
async function handle(store: WorkflowStore, claim: ClaimedEvent, deed: Deed): Promise<void> {
  const isPatient = claim.event.attempt < 5;
  if (deed === 'abandon' && isPatient) return;
  if (deed === 'giveBack' && isPatient) {
    await store.giveBack({ lease: leaseOf(claim), delay: 1, error: 'not now', worker: worker() });
    return;
  }
  let current = claim;
  for (;;) {
    const request = {
      lease: leaseOf(claim),
      revision: current.execution.revision,
      step: countingStep(current),
      worker: worker(),
    };
    const outcome = await store.apply(request);
    if (outcome.kind === 'Conflict') {
      current = { ...claim, execution: outcome.execution };
      continue;
    }
    if (deed === 'applyTwice') expect((await store.apply(request)).kind).toBe('LeaseLost');
    return;
  }
}

function expectWhole(history: readonly HistoryEntry[]): void {
  expect(history.map(({ sequence }) => sequence)).toEqual(history.map((_, index) => index + 1));
  const stepped = history.filter(({ kind }) => kind === 'Stepped');
  expect(stepped.map(({ revision }) => revision)).toEqual(stepped.map((_, index) => index + 1));
  const events = stepped.map(({ event }) => event);
  expect(new Set(events).size).toBe(events.length);
  const tasks = history.filter(({ kind }) => kind === 'TaskFinished').map(({ task }) => task);
  expect(new Set(tasks).size).toBe(tasks.length);
}

export function clientsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: history`, () => {
    test('every line of an execution is there, without gaps, each with what it is about', async () => {
      const store = await world.store();
      const { id } = await withTasks(store, [newTask('build'), newTask('test')]);
      const [build] = await claimedTasks(store, [slots({ free: 1 })]);
      if (build === undefined) throw new Error('no task was given out');
      await store.finishTask({
        lease: taskLeaseOf(build),
        outcome: { kind: 'Failed', error: 'exit 1', retryable: true },
        backoff: 60_000,
        worker: worker(),
        delegate: delegateWorker(),
      });
      await store.command({ execution: id, kind: 'Cancel', payload: null, by: 'ada', worker: worker() });
      const claim = await claimedOne(store);
      await applied(store, claim, {
        notes: [{ step: 'build', detail: 'stopped by ada' }],
        end: { state: 'Cancelled', error: 'ada asked for it' },
      });
      const history = await store.history(id);
      expect(history.map(({ kind, revision }) => [kind, revision]).slice(0, 7)).toEqual([
        ['Started', 0],
        ['Stepped', 1],
        ['TaskCreated', 1],
        ['TaskCreated', 1],
        ['TaskLeased', 1],
        ['TaskRetried', 1],
        ['Commanded', 1],
      ]);
      const last = history.slice(7);
      expect(last[0]).toMatchObject({
        kind: 'Stepped',
        event: claim.event.id,
        token: claim.lease.token,
        step: 'Cancel',
      });
      expect(last.map(({ kind }) => kind).toSorted()).toEqual([
        'Ended',
        'Noted',
        'Stepped',
        'TaskCancelled',
        'TaskCancelled',
      ]);
      expect(last.find(({ kind }) => kind === 'Noted')).toMatchObject({
        step: 'build',
        detail: 'stopped by ada',
      });
      expect(last.at(-1)).toMatchObject({
        kind: 'Ended',
        detail: expect.stringContaining('ada asked for it'),
      });
      for (const entry of last) expect(entry.revision).toBe(2);
      for (const entry of history)
        expect(entry).toMatchObject({ execution: id, version: V1, worker: worker() });
      expectWhole(history);
    });
  });

  describe(`a ${adapter} workflow store: wake-up`, () => {
    test('a client hears that another one has started something, until it does not want to any more', async () => {
      const [one, two] = await world.stores();
      let calls = 0;
      const stop = one.subscribe(() => {
        calls += 1;
      });
      await started(two);
      await eventually(() => calls > 0);
      let before = calls;
      await applied(two, await claimedOne(two), { tasks: [newTask('build')] });
      await eventually(() => calls > before);
      const witness = new Promise<void>((resolve) => {
        one.subscribe(resolve);
      });
      stop();
      before = calls;
      await started(two);
      await witness;
      expect(calls).toBe(before);
    });
  });

  describe(`a ${adapter} workflow store: several clients at once`, () => {
    test('an event goes to one of many that claim at the same time', async () => {
      const clients = await world.stores();
      for (let index = 0; index < 20; index += 1) await started(clients[0]);
      const claims = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          claimed(index % 2 === 0 ? clients[0] : clients[1], { limit: 3 }),
        ),
      );
      const ids = claims.flat().map(({ event }) => event.id);
      expect(new Set(ids).size).toBe(ids.length);
      const rest = await claimed(clients[0], { limit: 20 });
      expect(ids.length + rest.length).toBe(20);
    });

    test(
      'whatever workers do at once, no step is applied twice and no event is lost',
      async () => {
        await fc.assert(
          fc.asyncProperty(scenario, async ({ executions, workers }) => {
            const database = await makeDatabase();
            const stores = await Promise.all(Array.from({ length: CLIENTS }, () => database.open()));
            const [first] = stores as [WorkflowStore, ...WorkflowStore[]];
            try {
              const lengths = new Map<ExecutionId, number>();
              for (const length of executions)
                lengths.set((await started(first, { data: counting(length) })).id, length);
              const deadline = Date.now() + 30_000;
              const isOver = async (): Promise<boolean> => {
                if (Date.now() > deadline) throw new Error('the executions do not end');
                return (await first.oldestOpen(V1, 1)).length === 0;
              };
              await Promise.all(
                workers.map((deeds, index) => work(stores[index % CLIENTS] ?? first, deeds, isOver)),
              );
              for (const [id, length] of lengths) {
                const { result, steps } = counted(length);
                expect(await existing(first, id)).toMatchObject({
                  state: 'Succeeded',
                  result,
                  revision: steps,
                });
                expectWhole(await first.history(id));
              }
            } finally {
              for (const store of stores) await store.close();
              await database.remove();
            }
          }),
          { seed: seed(), numRuns: RUNS, endOnFailure: true },
        );
      },
      RUNS * 30_000,
    );
  });
}
