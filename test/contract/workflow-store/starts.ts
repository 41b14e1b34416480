/** What every workflow store must refuse to begin twice, and what is too large for it. */
import { describe, expect, test } from 'vitest';
import { tenantName } from '../../../src/model/names.ts';
import { MAX_PAYLOAD_BYTES, PayloadTooLargeError } from '../../../src/ports/workflow-store.ts';
import { ending, newEvent, newExecution, newTask, V2, worker } from '../../support/workflow/builders.ts';
import {
  applied,
  claimed,
  claimedOne,
  existing,
  kinds,
  type MakeWorkflowDatabase,
  started,
  worldOf,
} from './world.ts';

const BETA = tenantName('beta');
const HUGE = 'x'.repeat(MAX_PAYLOAD_BYTES);

export function startsContract(adapter: string, makeDatabase: MakeWorkflowDatabase): void {
  const world = worldOf(makeDatabase);

  describe(`a ${adapter} workflow store: idempotency keys`, () => {
    test('two starts of one tenant with one key are one execution, also on another version and on a fenced one', async () => {
      const store = await world.store();
      const first = await started(store, { idempotencyKey: 'order-7' });
      const again = await store.start(
        newExecution({ idempotencyKey: 'order-7', version: V2, name: 'other' }),
      );
      expect(again).toEqual({ kind: 'Existing', execution: first });
      await store.fenceAndCount(V2);
      expect(await store.start(newExecution({ idempotencyKey: 'order-7', version: V2 }))).toEqual(again);
      expect(await store.executions({ limit: 10 })).toHaveLength(1);
      expect(await claimed(store)).toHaveLength(1);
    });

    test('keys of different tenants have nothing to do with each other', async () => {
      const store = await world.store();
      await started(store, { idempotencyKey: 'order-7' });
      await started(store, { idempotencyKey: 'order-7', tenant: BETA });
      await started(store);
      await started(store);
      expect(await store.executions({ limit: 10 })).toHaveLength(4);
    });

    test('of many starts at once with one key, by two clients, one begins', async () => {
      const clients = await world.stores();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          clients[index % 2 === 0 ? 0 : 1].start(newExecution({ idempotencyKey: 'once' })),
        ),
      );
      expect(outcomes.map(({ kind }) => kind).toSorted()).toEqual([
        ...Array<string>(19).fill('Existing'),
        'Started',
      ]);
      const ids = new Set(
        outcomes.map((outcome) => (outcome.kind === 'Fenced' ? undefined : outcome.execution.id)),
      );
      expect(ids.size).toBe(1);
    });
  });

  describe(`a ${adapter} workflow store: payload limits`, () => {
    test('a payload of exactly the limit is taken', async () => {
      const store = await world.store();
      const data = HUGE.slice(2); // Its JSON has two quotation marks more.
      const { id } = await started(store, { data, input: data });
      expect((await existing(store, id)).data).toBe(data);
      expect((await claimedOne(store)).event.payload).toBe(data);
    });

    test('bytes count, not characters', async () => {
      const store = await world.store();
      const umlauts = 'ü'.repeat(MAX_PAYLOAD_BYTES / 2);
      await expect(started(store, { data: umlauts })).rejects.toThrow(PayloadTooLargeError);
    });

    test.each([{ data: HUGE }, { input: HUGE }])(
      'a larger start is refused and begins nothing',
      async (wanted) => {
        const store = await world.store();
        await expect(started(store, { ...wanted, idempotencyKey: 'key' })).rejects.toThrow(
          PayloadTooLargeError,
        );
        expect(await store.executions({ limit: 1 })).toEqual([]);
        await started(store, { idempotencyKey: 'key' });
      },
    );

    test.each([
      { what: 'state', decided: { data: HUGE } },
      { what: 'event', decided: { events: [newEvent('Big', { payload: HUGE })] } },
      { what: 'task', decided: { tasks: [newTask('big', { payload: HUGE })] } },
      { what: 'result', decided: { end: { state: 'Succeeded' as const, result: HUGE, error: '' } } },
    ])('a step with a larger $what is refused, writes nothing and keeps its lease', async ({ decided }) => {
      const store = await world.store();
      const { id } = await started(store);
      const claim = await claimedOne(store);
      await expect(applied(store, claim, decided)).rejects.toThrow(PayloadTooLargeError);
      expect(await existing(store, id)).toMatchObject({ revision: 0, state: 'Running' });
      expect(await kinds(store, id)).toEqual(['Started']);
      await applied(store, claim, ending());
    });

    test('a larger command is refused and appends nothing', async () => {
      const store = await world.store();
      const { id } = await started(store);
      await expect(
        store.command({ execution: id, kind: 'Approve', payload: HUGE, by: 'ada', worker: worker() }),
      ).rejects.toThrow(PayloadTooLargeError);
      expect(await kinds(store, id)).toEqual(['Started']);
    });
  });
}
