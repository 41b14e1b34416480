/** Waits for a condition instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves with the first truthy value of `check`; an error that it throws counts as not yet. Rejects with the last
 * error, or the last value, after `within` milliseconds.
 */
export async function eventually<Value>(
  check: () => Value | Promise<Value>,
  {
    within = 10_000,
    every = 10,
    what = 'the condition',
  }: { within?: number; every?: number; what?: string } = {},
): Promise<NonNullable<Value>> {
  const deadline = Date.now() + within;
  for (;;) {
    let last: unknown;
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${within} ms`, { cause: last });
    await sleep(every);
  }
}
