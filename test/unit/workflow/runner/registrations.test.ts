// What a manager tells the store of its delegates, and what it does not tell again.
import { expect, test } from 'vitest';
import { instant } from '../../../../src/model/instant.ts';
import type { DelegateRegistration, ManagerId } from '../../../../src/model/workflow.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { WorkflowStore } from '../../../../src/ports/workflow-store.ts';
import { Registrations } from '../../../../src/workflow/runner/registrations.ts';
import { aRegistration } from '../../../support/registrations.ts';

const MANAGER = 'manager-1' as ManagerId;
/** The store's clock is before ours. */
const AHEAD = 7;
const START = 1_000_000;

function world() {
  let now = START;
  let fails = false;
  const told: (readonly DelegateRegistration[])[] = [];
  const clock = { now: () => instant(now) } as Clock;
  const store = {
    now: async () => instant(now + AHEAD),
    saveDelegates: async (_manager: ManagerId, delegates: readonly DelegateRegistration[]) => {
      if (fails) throw new Error('the store does not answer');
      told.push(delegates);
    },
  } as unknown as WorkflowStore;
  const registrations = new Registrations({ store, clock, manager: MANAGER });
  const box = {
    ...aRegistration('box-1', { tenant: 'acme', version: 'v1', lastSeen: START }),
    since: instant(START),
  };
  return {
    registrations,
    told,
    /** The delegate as its session says, heard of `after` milliseconds. */
    box: (after: number, more: Partial<DelegateRegistration> = {}): DelegateRegistration => ({
      ...box,
      lastSeen: instant(START + after),
      ...more,
    }),
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
    failing: (is: boolean) => {
      fails = is;
    },
  };
}

test('of a delegate that only goes on the store is told what it has, until that is half a minute old', async () => {
  const { registrations, told, box, pass } = world();
  for (const after of [0, 5_000, 29_999, 30_000, 35_000]) {
    await registrations.save([box(after)]);
    pass(5_000);
  }
  const seen = told.map(([one]) => (one?.lastSeen ?? 0) - START - AHEAD);
  expect(seen).toEqual([0, 0, 0, 30_000, 30_000]);
  expect(told[1]).toEqual(told[0]);
});

test('what a delegate takes and has is told at once, and so is when it left', async () => {
  const { registrations, told, box } = world();
  await registrations.save([box(0)]);
  await registrations.save([box(1_000, { running: 2 })]);
  await registrations.save([box(2_000, { running: 2, capacity: 1 })]);
  registrations.went(box(3_000, { running: 2, capacity: 1 }));
  await registrations.save([]);
  await registrations.save([]);
  const facts = told.map(([one]) => [one?.running, one?.capacity, (one?.lastSeen ?? 0) - START - AHEAD]);
  expect(facts).toEqual([
    [1, 4, 0],
    [2, 4, 1_000],
    [2, 1, 2_000],
    [0, 1, 3_000],
    [0, 1, 3_000],
  ]);
});

test('what the store did not take is told again', async () => {
  const { registrations, told, box, failing } = world();
  await registrations.save([box(0)]);
  failing(true);
  await expect(registrations.save([box(1_000, { running: 3 })])).rejects.toThrow('does not answer');
  failing(false);
  await registrations.save([box(2_000, { running: 3 })]);
  expect(told.at(-1)).toEqual([expect.objectContaining({ running: 3, lastSeen: START + 2_000 + AHEAD })]);
});
