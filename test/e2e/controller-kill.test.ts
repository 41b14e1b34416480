/**
 * kill -9 of the controller at random points of flips, under load through two Envoys: after each restart the table is
 * exactly the old or the new one, an acknowledged flip is never lost (rule 11), and traffic never fails. All 50 with
 * SWITCHYARD_FULL=1.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { full, seed } from '../support/seed.ts';
import { type Fleet, ORDER, useFleet } from '../support/system/fleet.ts';
import { resourceVersions } from '../support/system/gateway.ts';
import type { Stage } from '../support/traffic/history.ts';

const KILLS = full() ? 50 : 8;
/** Every so many kills come at the moment of the acknowledgement, the others at a random point of the flip. */
const AT_ACKNOWLEDGEMENT_EACH = 4;
/** A restart takes a second or so, and much longer on a busy machine. */
const TIME_LIMIT_MS = 120_000 + KILLS * 15_000;
const VERSIONS = ['v1', 'v2'] as const;

const theFleet = useFleet({ versions: VERSIONS, instances: 2, requestsPerSecond: 75 });
let fleet: Fleet;
beforeEach(() => {
  fleet = theFleet();
});

type Answer = 'acknowledged' | 'broken off';

/** Orders a flip and says what became of the call. */
function flip(version: string): Promise<Answer> {
  return fleet.call('flip', { change: ORDER, version, waiveGates: false }).then(
    () => 'acknowledged',
    () => 'broken off',
  );
}

/** Flips, and kills the controller after this time, or when it answers; it runs again when this resolves. */
async function flipAndKill(version: string, killAfterMs: number): Promise<Answer> {
  const answer = flip(version);
  await (killAfterMs === Infinity ? answer : sleep(killAfterMs));
  await fleet.controller.kill();
  const came = await answer;
  await fleet.controller.start();
  return came;
}

describe(`a controller that is killed with -9 during ${KILLS} flips`, () => {
  it('has the old table or the new one, loses no acknowledged flip, and hurts no traffic', {
    timeout: TIME_LIMIT_MS,
  }, async () => {
    const { tables, flipMs } = await bothTables();
    await Promise.all(
      fleet.entrances.map((entrance) => entrance.startTraffic({ pins: VERSIONS, streamPins: VERSIONS })),
    );
    const points = fc.sample(fc.noBias(fc.integer({ min: 0, max: 100 })), { seed: seed(), numRuns: KILLS });
    let primary = 'v1';
    for (const [index, percent] of points.entries()) {
      const killAfterMs = index % AT_ACKNOWLEDGEMENT_EACH === 0 ? Infinity : (percent * flipMs) / 100;
      const next = primary === 'v1' ? 'v2' : 'v1';
      const pending = fleet.begin({ from: primary, to: next, weight: 100, active: VERSIONS });
      const answer = await flipAndKill(next, killAfterMs);

      const table = await fleet.table();
      expect([tables.get(primary), tables.get(next)]).toContain(table);
      const isNew = table === tables.get(next);
      if (answer === 'acknowledged') expect(isNew).toBe(true);

      await fleet.inSync();
      if (isNew) primary = next;
      for (const [entrance, change] of pending) {
        const served = await entrance.servedBy(primary);
        if (isNew) change.converged(served);
        else change.discarded();
      }
    }

    for (const entrance of fleet.entrances) {
      const verdict = await entrance.stopTraffic();
      expect(verdict).toMatchObject({
        faults: [],
        failed: 0,
        misrouted: 0,
        streamsCut: 0,
        tenantsMovedWrongly: 0,
      });
      expect(verdict.refusedSeen).toBe(verdict.refusedExpected);
      const rejected = await entrance.envoy.stats('(update_rejected|no_cluster)$');
      expect(rejected.size).toBeGreaterThan(0);
      expect([...rejected].filter(([, value]) => value !== 0)).toEqual([]);
    }
  });

  it('shows connected Envoys no change when it comes back', async () => {
    const before = await Promise.all(fleet.entrances.map(({ envoy }) => resourceVersions(envoy)));
    await fleet.controller.kill();
    await fleet.controller.start();
    await fleet.inSync();
    expect(await Promise.all(fleet.entrances.map(({ envoy }) => resourceVersions(envoy)))).toEqual(before);
  });
});

/** The whole table with each version as primary, and how long a flip takes now; v1 is primary before and after. */
async function bothTables(): Promise<{ tables: ReadonlyMap<string, string>; flipMs: number }> {
  let flipMs = 0;
  const tables = new Map<string, string>();
  for (const version of ['v2', 'v1']) {
    const other = version === 'v1' ? 'v2' : 'v1';
    const stage: Stage = { from: other, to: version, weight: 100, active: VERSIONS };
    const pending = fleet.begin(stage);
    const startedAt = performance.now();
    expect(await flip(version)).toBe('acknowledged');
    flipMs = performance.now() - startedAt;
    for (const [entrance, change] of pending) change.converged(await entrance.servedBy(version));
    tables.set(version, await fleet.table());
  }
  return { tables, flipMs };
}
