// Rounds over objects: one at a time for each, and what fails is told and tried again.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { objectRounds } from '../../../src/custom-resources/object-rounds.ts';
import { serviceName } from '../../../src/model/names.ts';

const [a, slow, quick] = [serviceName('a'), serviceName('slow'), serviceName('quick')];

function someRounds(look: (service: string) => Promise<void>) {
  const failed: string[] = [];
  const rounds = objectRounds({
    look,
    onProblem: ({ service, error }) => failed.push(`${service}: ${(error as Error).message}`),
    clock: systemClock,
    random: Math.random,
    backoff: { initial: 10, max: 50 },
    gather: 5,
  });
  onTestFinished(() => rounds.close());
  return { rounds, failed };
}

describe('rounds over objects', () => {
  test('takes what is asked for together as one turn, and what comes meanwhile as one more', async () => {
    const turns: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { rounds } = someRounds(async (key) => {
      turns.push(key);
      if (turns.length === 1) await go;
    });
    for (let times = 0; times < 5; times += 1) rounds.wake(a);
    await vi.waitFor(() => expect(turns).toEqual(['a']));
    for (let times = 0; times < 5; times += 1) rounds.wake(a);
    resolve();
    await vi.waitFor(() => expect(turns).toEqual(['a', 'a']));
    await rounds.close();
    expect(turns).toHaveLength(2);
  });

  test("lets no key wait for another's turn", async () => {
    const turns: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { rounds } = someRounds(async (key) => {
      turns.push(key);
      if (key === 'slow') await go;
    });
    rounds.wake(slow);
    await vi.waitFor(() => expect(turns).toEqual(['slow']));
    rounds.wake(quick);
    await vi.waitFor(() => expect(turns).toEqual(['slow', 'quick']));
    resolve();
  });

  test('tries what fails again until it succeeds, and says each time why', async () => {
    let left = 3;
    const { rounds, failed } = someRounds(async () => {
      left -= 1;
      if (left > 0) throw new Error(`${left} left`);
    });
    rounds.wake(a);
    await vi.waitFor(() => expect(left).toBe(0));
    expect(failed).toEqual(['a: 2 left', 'a: 1 left']);
  });

  test('ends the turn that has begun when it is stopped, and begins no other', async () => {
    const noted: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { rounds } = someRounds(async () => {
      noted.push('begins');
      await go;
      noted.push('ends');
    });
    rounds.wake(a);
    await vi.waitFor(() => expect(noted).toEqual(['begins']));
    rounds.wake(a);
    const stopped = rounds.close();
    resolve();
    await stopped;
    rounds.wake(a);
    expect(noted).toEqual(['begins', 'ends']);
  });

  test('what somebody else wrote first is tried again, and told to nobody', async () => {
    let left = 2;
    const { rounds, failed } = someRounds(async () => {
      left -= 1;
      if (left > 0) throw new KubernetesApiError({ code: 409, reason: 'Conflict', message: 'changed' });
    });
    rounds.wake(a);
    await vi.waitFor(() => expect(left).toBe(0));
    expect(failed).toEqual([]);
  });
});
