// Replicas are replaced one after another by those of another release, in the middle of a rollout and under load: the package of
// this tree under the next version. Streams live on, no Envoy is pushed anything, and the rollout goes on.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SERVICE_ROUTING } from '../../../src/adapters/kubernetes/custom-resources.ts';
import type { RoutingObject } from '../../../src/adapters/kubernetes/store/routing-object.ts';
import { eventually } from '../../support/eventually.ts';
import type { Entrance, Installation } from '../../support/kubernetes/system/installation.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { nextVersion, packedBuild } from '../../support/packed-build.ts';
import { heldVersions, updateCounters } from '../../support/system/held.ts';
import { UNHURT } from '../../support/system/load.ts';

const BOTH = ['v1', 'v2'];
/** A leader that stops in order lets its Lease go: nobody waits until it is over. */
const HANDED_OVER_WITHIN_MS = 10_000;

test('replicas are replaced one by one by another release: nobody is hurt, nothing is pushed, and the rollout goes on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-packed-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const version = nextVersion();
  const program = packedBuild(folder, version);
  const world = await useInstallation({ replicas: 3 });
  const { entrances, traffic } = await useTraffic(world, { pins: BOTH, streamPins: ['v1'], replicas: 1 });

  const shift = { from: 'v1', to: 'v2', weight: 30, active: BOTH };
  const pending = traffic.history.begin({ stage: shift, at: performance.now() });
  await world.wish({ version: 'v2', replicas: 1, more: { traffic: { steps: [30, 100] } } });
  await reaches(world, 'Paused');
  await world.order('promote 1');
  await eventually(async () => (await world.object()).status?.weight === 30, {
    what: '30 %',
    within: 60_000,
  });
  await world.inSync();
  pending.converged(await traffic.afterOneAnswer());
  await reaches(world, 'Paused');

  const before = await look(world, entrances);
  const leader = await world.replicas.leader();
  const followers = world.replicas.all.filter(({ number }) => number !== leader.number);
  for (const follower of followers) {
    await follower.process.stop();
    await traffic.goOn();
    await world.replicas.restart(follower, program);
    await world.inSync();
    expect((await world.replicas.holder())?.number).toBe(leader.number);
    expect(await look(world, entrances)).toEqual(before);
  }
  const stopped = performance.now();
  await leader.process.stop();
  await world.replicas.leader({ not: leader });
  expect(performance.now() - stopped).toBeLessThan(HANDED_OVER_WITHIN_MS);
  await world.replicas.restart(leader, program);
  await world.inSync();
  await traffic.goOn();
  expect(await look(world, entrances)).toEqual(before);
  expect((await world.replicas.call('getInfo', {})).version).toBe(version);

  await traffic.move({ ...shift, weight: 100 }, () => world.order('promote 2'));
  await world.rollout('v2', 'Succeeded');
  const verdict = await traffic.stop();
  expect(verdict).toMatchObject({ ...UNHURT, refusedSeen: verdict.refusedExpected });
}, 300_000);

/** Waits until the newest spec's rollout stands so. */
async function reaches(world: Installation, reason: string): Promise<void> {
  await eventually(
    async () => {
      const { status, metadata } = await world.object();
      return (
        status?.observedGeneration === metadata.generation &&
        status?.conditions?.some((condition) => condition.reason === reason) === true
      );
    },
    { what: `a rollout that is ${reason}`, within: 60_000 },
  );
}

/** What no replacement may touch: what Envoys hold and how often they changed it, Pods, and what is recorded of the traffic. */
async function look(world: Installation, entrances: readonly Entrance[]) {
  const proxies = await Promise.all(
    entrances.map(async ({ envoy }) => ({
      held: await heldVersions(envoy),
      // Whoever connects again is answered once for each type, with what it has.
      changes: Object.fromEntries(
        Object.entries(await updateCounters(envoy)).filter(
          ([name]) => !/update_(attempt|failure|success)$/.test(name),
        ),
      ),
    })),
  );
  const pods = await Promise.all(BOTH.map((version) => world.pods(version)));
  const [routing] = await world.all<RoutingObject>(SERVICE_ROUTING);
  return {
    proxies,
    pods: pods.flat().map(({ metadata }) => metadata.uid),
    record: routing?.spec.record,
  };
}
