// Chance in tests, repeatable: every random choice comes from one seed, which a run prints once. SWITCHYARD_SEED
// repeats a run. Large matrices are sampled with it; SWITCHYARD_FULL=1 runs them whole.
import fc from 'fast-check';

/** The seed of this run: vitest.config.ts chooses it where nobody gave one, and every worker inherits it. */
export function seed(): number {
  const text = process.env['SWITCHYARD_SEED'];
  if (text === undefined || !/^\d{1,9}$/.test(text)) {
    throw new Error(
      `SWITCHYARD_SEED is ${JSON.stringify(text)}; it must be a whole number from 0 to 999999999`,
    );
  }
  return Number(text);
}

/** True when large matrices run whole (`npm run test:full`). */
export function full(): boolean {
  return process.env['SWITCHYARD_FULL'] === '1';
}

/** `count` of these in their order, chosen by the seed; all of them when SWITCHYARD_FULL=1. */
export function sample<T>(all: readonly T[], count: number, from: number = seed()): readonly T[] {
  if (full() || count >= all.length) return all;
  const [chosen = []] = fc.sample(fc.subarray([...all], { minLength: count, maxLength: count }), {
    seed: from,
    numRuns: 1,
  });
  return chosen;
}
