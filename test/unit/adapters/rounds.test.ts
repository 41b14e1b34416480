// Work for a service is done one after the other, again where something has changed, and after a wait where it failed.
import { expect, test, vi } from 'vitest';
import { Rounds } from '../../../src/adapters/rounds.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';

const MANAGER = serviceName('manager');
const BILLING = serviceName('billing');

function world() {
  const begun: string[] = [];
  const ends: ((isDone: boolean) => void)[] = [];
  const slept: number[] = [];
  const rounds = new Rounds({
    clock: {
      now: () => instant(0),
      sleep: (length, signal) => {
        slept.push(length);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      },
    },
    random: () => 1,
    round: (service) => {
      begun.push(service);
      return new Promise((resolve) => ends.push(resolve));
    },
  });
  const end = async (isDone: boolean): Promise<void> => {
    await vi.waitFor(() => expect(ends).not.toEqual([]));
    ends.shift()?.(isDone);
  };
  return { rounds, begun, ends, slept, end };
}

test('what changes during a round is looked at in one more, however much it is', async () => {
  const { rounds, begun, end } = world();
  rounds.wake(MANAGER);
  await vi.waitFor(() => expect(begun).toEqual(['manager']));
  rounds.wake(MANAGER);
  rounds.wake(MANAGER);
  await end(true);
  await vi.waitFor(() => expect(begun).toEqual(['manager', 'manager']));
  await end(true);
  rounds.wake(MANAGER);
  await vi.waitFor(() => expect(begun).toHaveLength(3));
  await end(true);
  await rounds.close();
});

test('services do not wait for each other', async () => {
  const { rounds, begun, end } = world();
  rounds.wake(MANAGER);
  rounds.wake(BILLING);
  await vi.waitFor(() => expect(begun).toEqual(['manager', 'billing']));
  await end(true);
  await end(true);
  await rounds.close();
});

test('a round that failed waits, longer each time; a change does not end the wait, a wish does', async () => {
  const { rounds, begun, slept, end } = world();
  rounds.wake(MANAGER);
  await end(false);
  await vi.waitFor(() => expect(slept).toEqual([1_000]));
  rounds.wake(MANAGER);
  await Promise.resolve();
  expect(begun).toHaveLength(1);
  rounds.hurry(MANAGER);
  await end(false);
  await vi.waitFor(() => expect(slept).toEqual([1_000, 1_000]));
  expect(begun).toHaveLength(2);
  await rounds.close();
  rounds.wake(MANAGER);
  expect(begun).toHaveLength(2);
});

test('a round that failed while somebody wished something else does not wait', async () => {
  const { rounds, begun, slept, end } = world();
  rounds.wake(MANAGER);
  await vi.waitFor(() => expect(begun).toHaveLength(1));
  rounds.hurry(MANAGER);
  await end(false);
  await vi.waitFor(() => expect(begun).toHaveLength(2));
  expect(slept).toEqual([]);
  await end(false);
  await vi.waitFor(() => expect(slept).toEqual([1_000]));
  await rounds.close();
});
