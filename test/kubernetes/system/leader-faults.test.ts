// A rollout whose leader, or what it stands on, is struck at one of its steps: the rollout goes on to its end, and the traffic stays
// untouched. All of them with SWITCHYARD_FULL=1; else the seed draws one.
import { describe, expect, test } from 'vitest';
import { LEADER_FAULTS } from '../../support/kubernetes/system/leader-faults.ts';
import { verified } from '../../support/kubernetes/system/manager-object.ts';
import { ownPlace, useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { sample } from '../../support/seed.ts';
import { UNHURT } from '../../support/system/load.ts';

/** A step that rollouts come to, as every proxy has it. */
const STEPS = ['Verify', 'Shift-10', 'Shift-100', 'Soak'] as const;
const CASES = LEADER_FAULTS.flatMap((fault) => STEPS.map((at) => ({ ...fault, at })));

describe.each(sample(CASES, 1))('a rollout while $name at $at', ({ strike, needsOwnCluster, at }) => {
  test('goes on to its end; no request fails or is misrouted, no stream is cut, no listener changes', async () => {
    const { place, cluster } = needsOwnCluster ? await ownPlace() : {};
    const world = await useInstallation({ ...(place && { place }) });
    const { traffic, prometheus, entrances } = await useTraffic(world, {
      pins: ['v1', 'v2'],
      streamPins: ['v1'],
    });
    const walked = await traffic.follow(world, {
      version: 'v2',
      baseline: 'v1',
      active: ['v1', 'v2'],
      order: () => world.wish({ version: 'v2', more: verified(prometheus) }),
      atStep: { [at]: () => strike({ world, traffic, cluster }) },
    });
    expect(walked).toMatchObject({ outcome: 'Succeeded' });
    await world.condition('Ready', 'True');
    await world.primaryService('v2');
    await world.inSync();
    await traffic.goOn();
    const verdict = await traffic.stop();
    expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
    for (const { envoy } of entrances) {
      expect(await envoy.stat('listener_manager.listener_modified')).toBe(0);
      expect([...(await envoy.stats('update_rejected$'))].filter(([, count]) => count > 0)).toEqual([]);
    }
  }, 300_000);
});
