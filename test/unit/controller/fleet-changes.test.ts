// Thousands of watchers report one after the other: a look at all of them is made for many reports, and takes a small part
// of the time, however dear it is.
import { expect, test } from 'vitest';
import { FleetChanges } from '../../../src/controller/fleet-changes.ts';
import { after, type Instant, instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';
import type { Clock } from '../../../src/ports/clock.ts';

const MANAGER = serviceName('manager');
const OTHER = serviceName('other');

/** Time that passes only when it is told to, and in `act`. */
class HandClock implements Clock {
  #now = instant(0);
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  sleep(duration: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true });
      this.#sleepers.push({ until: this.#now + duration, wake: resolve });
    });
  }

  /** Passes time, waking whoever is due, and lets what follows from it be done. */
  async pass(duration: number): Promise<void> {
    this.#now = after(this.#now, duration);
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

function changesThatTake(cost: number): {
  clock: HandClock;
  changes: FleetChanges;
  looks: { readonly at: number; readonly service: string }[];
} {
  const clock = new HandClock();
  const looks: { at: number; service: string }[] = [];
  const changes = new FleetChanges({
    clock,
    async act(service) {
      looks.push({ at: clock.now(), service });
      await clock.pass(cost);
    },
  });
  return { clock, changes, looks };
}

test('reports of a fifth of a second are looked at together, once for each service', async () => {
  const { clock, changes, looks } = changesThatTake(0);
  for (const service of [MANAGER, MANAGER, OTHER, MANAGER]) changes.changed(service);
  await clock.pass(199);
  expect(looks).toEqual([]);
  await clock.pass(1);
  expect(looks).toEqual([
    { at: 200, service: MANAGER },
    { at: 200, service: OTHER },
  ]);
  await clock.pass(10_000);
  expect(looks).toHaveLength(2);
});

test('what follows from reports takes a tenth of the time at most, however dear a look is', async () => {
  const { clock, changes, looks } = changesThatTake(100);
  for (let elapsed = 0; elapsed < 60_000; elapsed += 10) {
    changes.changed(MANAGER);
    await clock.pass(10);
  }
  expect(looks.length).toBeGreaterThan(40);
  expect(looks.length * 100).toBeLessThanOrEqual(clock.now() / 10 + 100);
});

test('nothing follows any more once it was stopped', async () => {
  const { clock, changes, looks } = changesThatTake(0);
  changes.changed(MANAGER);
  changes.stop();
  await clock.pass(1_000);
  expect(looks).toEqual([]);
});
