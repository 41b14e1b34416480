import { expect, test } from 'vitest';
import { livePipeline } from '../../../support/pipeline-simulation/run.ts';
import { full, seed } from '../../../support/seed.ts';

const LIVES = 10_000;
const SAMPLE = 400;

test('every execution of a pipeline ends, whatever comes in whatever order; no step runs too often, too early or unfed; nothing is open after an end', () => {
  const first = full() ? 0 : seed() % LIVES;
  const count = full() ? LIVES : SAMPLE;
  const ends = new Map<string, number>();
  const totals = { events: 0, strays: 0, retries: 0 };
  for (let index = 0; index < count; index += 1) {
    const { state, events, strays, retries } = livePipeline((first + index) % LIVES);
    ends.set(state, (ends.get(state) ?? 0) + 1);
    totals.events += events;
    totals.strays += strays;
    totals.retries += retries;
  }
  console.log(
    `${count} simulated pipelines ended: ${[...ends].map(([state, times]) => `${state} ${times}`).join(', ')}; ${totals.events} events, ${totals.strays} of them stray, ${totals.retries} retries`,
  );
  // All ends are reached, so the rules were asked where they matter.
  for (const state of ['Succeeded', 'Failed', 'Cancelled']) expect(ends.get(state)).toBeGreaterThan(0);
  expect(totals.retries).toBeGreaterThan(0);
}, 600_000);
