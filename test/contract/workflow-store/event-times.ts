/** What every workflow store must do with events that wait, are given back, taken back or given up. */
import { describe, expect, test } from 'vitest';
import type { EventId } from '../../../src/model/workflow.ts';
import { MAX_EVENT_ATTEMPTS, type WorkflowStore } from '../../../src/ports/workflow-store.ts';
import { eventually } from '../../support/eventually.ts';
import { ending, newEvent, step, V1, V2, worker } from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  claimedSoon,
  existing,
  failed,
  kinds,
  leaseOf,
  line,
  type MakeWorkflowDatabase,
  only,
  started,
  worldOf,
} from './world.ts';

/** Claims the one event and gives it back, until it is given up. */
async function exhausted(store: WorkflowStore, error = 'the machine threw'): Promise<EventId> {
  for (let attempt = 1; ; attempt += 1) {
    const claim = await claimedOne(store);
    expect(claim.event.attempt).toBe(attempt);
    expect(await store.giveBack({ lease: leaseOf(claim), delay: 0, error, worker: worker() })).toBe(true);
    if (attempt === MAX_EVENT_ATTEMPTS) return claim.event.id;
  }
}

export function eventTimesContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: delayed and retried events`, () => {
    test('a delayed event is not due before its time, and due after it', async () => {
      const store = await world.store();
      await started(store);
      const claim = await claimedOne(store);
      const before = await store.now();
      await applied(store, claim, { events: [newEvent('Timer', { delay: 300 })] });
      expect(await claimed(store)).toEqual([]);
      const timer = await claimedSoon(store);
      expect(timer.event.kind).toBe('Timer');
      expect(timer.event.dueAt).toBeGreaterThanOrEqual(before + 300);
      expect(await store.now()).toBeGreaterThanOrEqual(timer.event.dueAt);
    });

    test('an event that is given back is due after its delay, with a higher token', async () => {
      const store = await world.store();
      await started(store);
      const first = await claimedOne(store);
      const before = await store.now();
      const lease = leaseOf(first);
      expect(await store.giveBack({ lease, delay: 250, error: 'not now', worker: worker() })).toBe(true);
      expect(await store.giveBack({ lease, delay: 0, error: 'again', worker: worker() })).toBe(false);
      expect(await store.apply({ lease, revision: 0, step: step(), worker: worker() })).toEqual({
        kind: 'LeaseLost',
      });
      expect(await claimed(store)).toEqual([]);
      const second = await claimedSoon(store);
      expect(await store.now()).toBeGreaterThanOrEqual(before + 250);
      expect(second.event).toMatchObject({ id: first.event.id, attempt: 2 });
      expect(second.lease.token).toBeGreaterThan(first.lease.token);
    });

    test('a step takes back events by kind and payload, whatever the order of its names', async () => {
      const store = await world.store();
      await started(store);
      await applied(store, await claimedOne(store), {
        events: [
          newEvent('Timer', { payload: { of: 'a', deep: [{ x: 1, y: 2 }] }, delay: 60_000 }),
          newEvent('Timer', { payload: { of: 'b' }, delay: 60_000 }),
          newEvent('Other', { payload: { of: 'b' }, delay: 60_000 }),
          newEvent('Go'),
        ],
      });
      await applied(store, await claimedOne(store), {
        cancelEvents: [
          { kind: 'Timer', payload: { deep: [{ y: 2, x: 1 }], of: 'a' } },
          { kind: 'Timer', payload: { of: 'nothing' } },
          { kind: 'Other', payload: { of: 'b' } },
        ],
      });
      expect((await store.count(V1)).events).toEqual({ queued: 0, leased: 0, delayed: 1 });
    });

    test('a step that takes an event back and appends the same again leaves one', async () => {
      const store = await world.store();
      await started(store);
      await applied(store, await claimedOne(store), {
        events: [newEvent('Timer', { delay: 60_000 }), newEvent('Go')],
      });
      await applied(store, await claimedOne(store), {
        cancelEvents: [{ kind: 'Timer', payload: null }],
        events: [newEvent('Timer', { delay: 60_000 })],
      });
      expect((await store.count(V1)).events).toEqual({ queued: 0, leased: 0, delayed: 1 });
    });

    test('an event that was taken back while somebody had it is a lost lease', async () => {
      const store = await world.store();
      await started(store);
      await applied(store, await claimedOne(store), { events: [newEvent('Timer'), newEvent('Go')] });
      const [timer, go] = await claimed(store);
      if (timer === undefined || go === undefined) throw new Error('two events were expected');
      await applied(store, go, { cancelEvents: [{ kind: 'Timer', payload: null }] });
      expect(
        await store.apply({ lease: leaseOf(timer), revision: 2, step: step(), worker: worker() }),
      ).toEqual({ kind: 'LeaseLost' });
    });
  });

  describe(`a ${adapter} workflow store: dead letters`, () => {
    test(`an event that was given back ${MAX_EVENT_ATTEMPTS} times is given up, and its execution stays open`, async () => {
      const store = await world.store();
      const { id } = await started(store);
      const event = await exhausted(store);
      expect(await claimed(store)).toEqual([]);
      const letter = only(await store.deadLetters({ version: V1, limit: 10 }));
      expect(letter).toMatchObject({
        event: { id: event, kind: 'Start', execution: id, attempt: MAX_EVENT_ATTEMPTS },
        error: 'the machine threw',
      });
      expect(letter.at).toBeLessThanOrEqual(await store.now());
      expect(await store.deadLetters({ version: V2, limit: 10 })).toEqual([]);
      expect(await store.deadLetters({ limit: 10 })).toEqual([letter]);
      expect(await store.count(V1)).toMatchObject({
        executions: 1,
        events: { queued: 0, leased: 0, delayed: 0 },
        deadLetters: 1,
      });
      expect(await line(store, id, 'DeadLettered')).toMatchObject({
        event,
        step: 'Start',
        revision: 0,
        worker: worker(),
        detail: expect.stringContaining('the machine threw'),
      });
    });

    test(`an event whose lease ran out ${MAX_EVENT_ATTEMPTS} times is given up too`, async () => {
      const store = await world.store();
      const { id } = await started(store);
      const letter = await eventually(async () => {
        await claimed(store, { lease: 1 });
        return (await store.deadLetters({ limit: 1 }))[0];
      });
      expect(letter.event.attempt).toBe(MAX_EVENT_ATTEMPTS);
      expect(letter.error).toMatch(/lease/);
      expect(await kinds(store, id)).toEqual(['Started', 'DeadLettered']);
    });

    test('a dead letter that is revived is due at once, with its attempts forgotten and a higher token', async () => {
      const store = await world.store();
      const { id } = await started(store);
      const event = await exhausted(store);
      expect(await store.revive(event)).toBe(true);
      expect(await store.revive(event)).toBe(false);
      expect(await store.deadLetters({ limit: 10 })).toEqual([]);
      const claim = await claimedOne(store);
      expect(claim.event).toMatchObject({ id: event, attempt: 1 });
      expect(claim.lease.token).toBeGreaterThan(MAX_EVENT_ATTEMPTS);
      await applied(store, claim, ending());
      expect((await existing(store, id)).state).toBe('Succeeded');
    });

    test('only dead letters are revived', async () => {
      const store = await world.store();
      await started(store);
      const { event } = await claimedOne(store);
      expect(await store.revive(event.id)).toBe(false);
    });

    test('a dead letter of an ended execution is not revived on a fenced version', async () => {
      const store = await world.store();
      const { id } = await failed(store);
      await store.command({ execution: id, kind: 'Retry', payload: null, by: 'ada', worker: worker() });
      const event = await exhausted(store);
      await store.fenceAndCount(V1);
      expect(await store.revive(event)).toBe(false);
      await store.lift(V1);
      expect(await store.revive(event)).toBe(true);
    });
  });
}
