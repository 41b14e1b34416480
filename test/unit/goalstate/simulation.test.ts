import { expect, test } from 'vitest';
import { live } from '../../support/goalstate-simulation/run.ts';
import { full, seed } from '../../support/seed.ts';

const LIVES = 10_000;
const SAMPLE = 300;

test('the rules of goal states, waves and parity hold in every simulated life, and every wave comes to its end or says why not', () => {
  const first = full() ? 0 : seed() % LIVES;
  const count = full() ? LIVES : SAMPLE;
  const rollouts = new Map<string, number>();
  const waves = new Map<string, number>();
  let generations = 0;
  for (let index = 0; index < count; index += 1) {
    const life = live((first + index) % LIVES);
    rollouts.set(life.rollout, (rollouts.get(life.rollout) ?? 0) + 1);
    waves.set(life.waves, (waves.get(life.waves) ?? 0) + 1);
    generations += life.generations;
  }
  const shown = (ends: ReadonlyMap<string, number>) =>
    [...ends].map(([end, times]) => `${end} ${times}`).join(', ');
  console.log(
    `${count} simulated fleets, ${generations} generations: rollouts ${shown(rollouts)}; waves ${shown(waves)}`,
  );
  // All ends are reached, so the rules were asked where they matter.
  for (const end of ['Succeeded', 'Aborted', 'RolledBack', 'Failed'])
    expect(rollouts.get(end)).toBeGreaterThan(0);
  expect(waves.get('Done')).toBeGreaterThan(0);
  expect(generations).toBeGreaterThan(10 * count);
}, 900_000);
