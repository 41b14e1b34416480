import { expect, test } from 'vitest';
import { live } from '../../support/rollout-simulation/run.ts';
import { full, seed } from '../../support/seed.ts';

const LIVES = 10_000;
const SAMPLE = 300;

test('rules 2, 3, 8, 9 and 10 hold in every simulated rollout, and every rollout comes to an end', () => {
  const first = full() ? 0 : seed() % LIVES;
  const count = full() ? LIVES : SAMPLE;
  const ends = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const { state } = live((first + index) % LIVES);
    ends.set(state, (ends.get(state) ?? 0) + 1);
  }
  console.log(
    `${count} simulated rollouts ended: ${[...ends].map(([state, times]) => `${state} ${times}`).join(', ')}`,
  );
  // All ends are reached, so the rules were asked where they matter.
  for (const state of ['Succeeded', 'Aborted', 'RolledBack', 'Failed'])
    expect(ends.get(state)).toBeGreaterThan(0);
}, 600_000);
