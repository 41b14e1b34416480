/**
 * An Envoy that is paused, cut off or killed while versions come and go, and comes back, never serves a route to a
 * cluster that it lacks (rule 5): its clients see no failure, and nobody behind the other Envoy notices anything.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { Entrance } from '../support/system/entrance.ts';
import { type Fleet, ORDER, useFleet } from '../support/system/fleet.ts';
import type { Pending, Stage } from '../support/traffic/history.ts';
import type { Verdict } from '../support/traffic/judge.ts';

/** Changes must not wait for a proxy that is away. */
const NO_WAIT = { ...ORDER, waitTimeout: { seconds: 0n } };
/** Time for traffic to meet the routes as they are. */
const LOOK_MS = 500;

let primary = 1;
const theFleet = useFleet({ versions: ['v1'], instances: 1, requestsPerSecond: 50 });
let fleet: Fleet;
beforeEach(() => {
  fleet = theFleet();
});

interface Absence {
  /** Gives the verdict on the traffic so far where it ends here. */
  readonly leave: (entrance: Entrance) => Promise<Verdict | undefined>;
  readonly comeBack: (entrance: Entrance) => Promise<void>;
}

const ABSENCES: Readonly<Record<string, Absence>> = {
  paused: {
    leave: async ({ envoy }) => {
      envoy.signal('SIGSTOP');
      return undefined;
    },
    comeBack: async ({ envoy }) => envoy.signal('SIGCONT'),
  },
  'cut off from the controller': {
    leave: async (entrance) => {
      entrance.cutOff();
      return undefined;
    },
    comeBack: async (entrance) => entrance.reconnect(),
  },
  'killed and started again': {
    leave: async (entrance) => {
      // Killing cuts what is under way; what comes after the start is judged on its own.
      const verdict = await entrance.stopTraffic();
      await entrance.kill();
      return verdict;
    },
    comeBack: (entrance) => entrance.restart(),
  },
};

describe.each(Object.entries(ABSENCES))('an Envoy that is %s', (_, { leave, comeBack }) => {
  it.each([
    { protocol: 'SotW', away: () => fleet.gateway },
    { protocol: 'delta', away: () => fleet.sidecar },
  ])(
    'comes back over $protocol without ever serving a route to a cluster that it lacks',
    async ({ away }) => {
      const absent = away();
      const present = fleet.entrances.find((entrance) => entrance !== absent) as Entrance;
      const [old, next] = [`v${primary}`, `v${primary + 1}`];
      primary += 1;
      await fleet.versions.start(next, 1);
      const wishes = { pins: [old, next], streamPins: [old], quickOnly: true };
      await Promise.all(fleet.entrances.map((entrance) => entrance.startTraffic(wishes)));

      const before = await leave(absent);
      const late = await replace(old, next, present);
      await comeBack(absent);

      await absent.servedBy(next);
      await fleet.inSync();
      const caughtUpAt = await absent.inForce();
      for (const pending of late) pending.converged(caughtUpAt);
      if (before !== undefined) await absent.startTraffic({ ...wishes, streamPins: [next] });
      await sleep(LOOK_MS);

      await eventually(() => fleet.entrances.every(({ traffic }) => isOff(old, traffic)), {
        what: `the end of all streams on ${old}`,
        within: 30_000,
      });
      const verdicts = await Promise.all(fleet.entrances.map((entrance) => entrance.stopTraffic()));
      for (const verdict of before === undefined ? verdicts : [before, ...verdicts]) {
        expect(verdict).toMatchObject({
          faults: [],
          failed: 0,
          misrouted: 0,
          streamsCut: 0,
          tenantsMovedWrongly: 0,
        });
        expect(verdict.refusedSeen).toBe(verdict.refusedExpected);
      }
      for (const { envoy } of fleet.entrances) {
        const statistics = await envoy.stats('(update_rejected|no_cluster)$');
        expect(statistics.size).toBeGreaterThan(0);
        expect([...statistics].filter(([, value]) => value !== 0)).toEqual([]);
        // The old version's cluster is gone in the end: there was something to get wrong.
        const clusters = await envoy.text('/clusters');
        expect([clusters.includes(`${next}::`), clusters.includes(`${old}::`)]).toEqual([true, false]);
      }
      await fleet.versions.stop(old);
    },
  );
});

function isOff(version: string, traffic: Entrance['traffic']): boolean {
  return traffic.streams().every((stream) => stream.version !== version);
}

/**
 * Brings `next` up, flips to it, back and forth, and takes `old` away for good, although one proxy is away. Returns what
 * that proxy has not heard of.
 */
async function replace(old: string, next: string, present: Entrance): Promise<Pending[]> {
  const late: Pending[] = [];
  const step = async (
    stage: Stage,
    give: () => Promise<unknown>,
    done: () => Promise<unknown>,
  ): Promise<void> => {
    const pending = fleet.begin(stage);
    await give();
    await done();
    await fleet.inSync([present.name]);
    for (const [entrance, change] of pending) {
      if (entrance === present) change.converged(await entrance.inForce());
      else late.push(change);
    }
  };
  const both = [old, next];
  const forward = { from: old, to: next, weight: 100, active: both };
  const flip = () => fleet.call('flip', { change: NO_WAIT, version: next, waiveGates: false });

  await step(
    { from: old, to: old, weight: 100, active: both },
    () => fleet.apply(next),
    async () => {},
  );
  await step(forward, flip, () => present.servedBy(next));
  await step(
    { from: next, to: old, weight: 100, active: both },
    () => fleet.call('rollback', { change: NO_WAIT, to: '' }),
    () => present.servedBy(old),
  );
  await step(forward, flip, () => present.servedBy(next));

  const waivers = { giveUpRollback: true, waiveOpenWork: true, waiveStragglers: true };
  // Fenced while the absent proxy may still send it default traffic: an operator's order, with what it costs.
  await fleet.call('drain', { change: NO_WAIT, version: old, giveUpRollback: true, waiveStragglers: true });
  await step(
    { from: next, to: next, weight: 100, active: [next] },
    () => fleet.call('retire', { change: NO_WAIT, version: old, ...waivers }),
    () =>
      eventually(async () => (await fleet.version(old)) === undefined, {
        what: `the end of ${old}`,
        within: 30_000,
      }),
  );
  return late;
}
