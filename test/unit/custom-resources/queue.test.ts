// Work by key: one turn at a time for each, and what fails is tried again.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { Queue } from '../../../src/custom-resources/queue.ts';

function aQueue(work: (key: string) => Promise<void>) {
  const failed: string[] = [];
  const queue = new Queue({
    work,
    onFailed: (key, error) => failed.push(`${key}: ${(error as Error).message}`),
    clock: systemClock,
    random: Math.random,
    backoff: { initial: 10, max: 50 },
    gather: 5,
  });
  onTestFinished(() => queue.stop());
  return { queue, failed };
}

describe('a queue', () => {
  test('takes what is asked for together as one turn, and what comes meanwhile as one more', async () => {
    const turns: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { queue } = aQueue(async (key) => {
      turns.push(key);
      if (turns.length === 1) await go;
    });
    for (let times = 0; times < 5; times += 1) queue.add('a');
    await vi.waitFor(() => expect(turns).toEqual(['a']));
    for (let times = 0; times < 5; times += 1) queue.add('a');
    resolve();
    await vi.waitFor(() => expect(turns).toEqual(['a', 'a']));
    await queue.stop();
    expect(turns).toHaveLength(2);
  });

  test("lets no key wait for another's turn", async () => {
    const turns: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { queue } = aQueue(async (key) => {
      turns.push(key);
      if (key === 'slow') await go;
    });
    queue.add('slow');
    await vi.waitFor(() => expect(turns).toEqual(['slow']));
    queue.add('quick');
    await vi.waitFor(() => expect(turns).toEqual(['slow', 'quick']));
    resolve();
  });

  test('tries what fails again until it succeeds, and says each time why', async () => {
    let left = 3;
    const { queue, failed } = aQueue(async () => {
      left -= 1;
      if (left > 0) throw new Error(`${left} left`);
    });
    queue.add('a');
    await vi.waitFor(() => expect(left).toBe(0));
    expect(failed).toEqual(['a: 2 left', 'a: 1 left']);
  });

  test('ends the turn that has begun when it is stopped, and begins no other', async () => {
    const noted: string[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const { queue } = aQueue(async () => {
      noted.push('begins');
      await go;
      noted.push('ends');
    });
    queue.add('a');
    await vi.waitFor(() => expect(noted).toEqual(['begins']));
    queue.add('a');
    const stopped = queue.stop();
    resolve();
    await stopped;
    queue.add('a');
    expect(noted).toEqual(['begins', 'ends']);
  });
});
