/**
 * Flips and rollbacks through two real Envoys, a SotW gateway and a delta sidecar, under constant load with streams
 * that stay open: nobody may be hurt. All 200 with SWITCHYARD_FULL=1.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { full } from '../support/seed.ts';
import { acknowledgedEverywhere, type Fleet, ORDER, useFleet } from '../support/system/fleet.ts';
import type { Stage } from '../support/traffic/history.ts';
import { STREAM_FACES } from '../support/traffic/samples.ts';

const FLIPS = full() ? 200 : 30;
/** Every so many flips go by weights. */
const BY_WEIGHTS_EACH = 6;
const BETWEEN_MS = 60;
/** At a weight every tenant is seen once or twice, so that one that moves against the rules is noticed. */
const AT_A_WEIGHT_MS = 800;
const VERSIONS = ['v1', 'v2'] as const;

const theFleet = useFleet({ versions: VERSIONS, instances: 2, requestsPerSecond: 75 });
let fleet: Fleet;
beforeEach(() => {
  fleet = theFleet();
});

/** Moves default traffic as an operator would, and waits until both Envoys serve it. */
async function move(stage: Stage, give: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const pending = fleet.begin(stage);
  const acknowledged = await give();
  for (const [entrance, change] of pending) {
    change.converged(await (stage.weight >= 100 ? entrance.servedBy(stage.to) : entrance.inForce()));
  }
  await sleep(stage.weight >= 100 ? BETWEEN_MS : AT_A_WEIGHT_MS);
  return acknowledged;
}

async function setWeight(weight: number): Promise<readonly string[]> {
  const { result } = await fleet.call('setWeight', {
    change: ORDER,
    version: 'v2',
    weight,
    waiveGates: false,
  });
  return acknowledgedEverywhere(result);
}

async function flip(): Promise<readonly string[]> {
  const { result } = await fleet.call('flip', { change: ORDER, version: 'v2', waiveGates: false });
  return acknowledgedEverywhere(result);
}

async function rollback(): Promise<readonly string[]> {
  const { result } = await fleet.call('rollback', { change: ORDER, to: '' });
  return acknowledgedEverywhere(result);
}

describe(`${FLIPS} flips and rollbacks through a SotW gateway and a delta sidecar`, () => {
  it('fail no request, misroute none, cut no stream, and are each acknowledged by both', async () => {
    const listeners = await Promise.all(
      fleet.entrances.map(({ envoy }) => envoy.stats('^listener_manager\\.')),
    );
    await Promise.all(
      fleet.entrances.map((entrance) => entrance.startTraffic({ pins: VERSIONS, streamPins: VERSIONS })),
    );

    const acknowledgements: (readonly string[])[] = [];
    for (let flips = 0; flips < FLIPS; flips += 2) {
      const to = { from: 'v1', to: 'v2', active: VERSIONS };
      if (flips % BY_WEIGHTS_EACH === 0) {
        for (const weight of [30, 60])
          acknowledgements.push(await move({ ...to, weight }, () => setWeight(weight)));
      }
      acknowledgements.push(await move({ ...to, weight: 100 }, flip));
      const back = { from: 'v2', to: 'v1', active: VERSIONS, weight: 100 };
      acknowledgements.push(await move(back, rollback));
    }

    expect(new Set(acknowledgements.map((names) => names.join()))).toEqual(new Set(['gateway,outbound']));
    for (const [index, entrance] of fleet.entrances.entries()) {
      const verdict = await entrance.stopTraffic();
      expect(verdict).toMatchObject({
        faults: [],
        failed: 0,
        misrouted: 0,
        streamsCut: 0,
        tenantsMovedWrongly: 0,
        refusedSeen: verdict.refusedExpected,
        streamsOpened: STREAM_FACES.length * 3,
      });
      expect(verdict.requests).toBeGreaterThan(FLIPS);
      expect(verdict.refusedExpected).toBeGreaterThan(0);
      // Flips change routes only (rule 4): the listeners are the ones from before.
      expect(await entrance.envoy.stats('^listener_manager\\.')).toEqual(listeners[index]);
      expect(await rejections(index)).toEqual([]);
    }
  });
});

/** Counters of an Envoy that say that it refused what it was sent, or lacked a cluster that a route named. */
async function rejections(index: number): Promise<string[]> {
  const statistics = await fleet.entrances[index]?.envoy.stats('(update_rejected|no_cluster)$');
  expect(statistics?.size).toBeGreaterThan(0);
  return [...(statistics ?? [])]
    .filter(([, value]) => value !== 0)
    .map(([name, value]) => `${name}: ${value}`);
}
