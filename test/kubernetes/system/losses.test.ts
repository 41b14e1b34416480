// Pods are killed with -9, and a node is lost with all its Pods, under constant traffic: every request that fails was in flight at
// one of those Pods, or was sent before its endpoint was withdrawn. Each is named, and nothing else fails.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { attribute, type Loss, reportLine } from '../../support/kubernetes/system/attribution.ts';
import { EndpointWatch } from '../../support/kubernetes/system/endpoint-watch.ts';
import type { Installation } from '../../support/kubernetes/system/installation.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { full } from '../../support/seed.ts';

const WITHIN = 60_000;
const KILLS = full() ? 10 : 2;

interface Lost extends Omit<Loss, 'withdrawnAt'> {
  readonly address: string;
}

/** The Pods that each request came to, by their own logs. */
async function arrivals(
  { folder }: Installation,
  pods: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const pod of pods) {
    const log = await readFile(join(folder, `${pod}-manager.log`), 'utf8');
    for (const [, id = ''] of log.matchAll(/^arrived (\S+)$/gm)) {
      found.set(id, [...(found.get(id) ?? []), pod]);
    }
  }
  return found;
}

test('every request that fails by lost Pods was in flight there, or was sent before the endpoint was withdrawn', async () => {
  const world = await useInstallation({ nodes: 2 });
  const { traffic, entrances } = await useTraffic(world, { pins: ['v1'] });
  await world.whole('v1');
  const watch = new EndpointWatch(entrances);
  onTestFinished(() => watch.stop());
  const lost: Lost[] = [];
  const pods = (await world.pods('v1')).map(({ metadata, status }) => ({
    pod: metadata.name,
    address: status?.podIP ?? '',
    version: 'v1',
  }));
  const withdrawn = async ({ address, from }: Lost): Promise<void> => {
    await eventually(() => watch.withdrawnAt(address, from).size === entrances.length, {
      what: `the withdrawal of ${address}`,
      within: WITHIN,
    });
  };

  for (let killed = 0; killed < KILLS; killed += 1) {
    const victim = pods[killed % pods.length];
    if (victim === undefined) throw new Error('v1 has no Pods');
    const from = performance.now();
    world.nodes.kill(victim.pod);
    const loss = { ...victim, from, until: performance.now() };
    lost.push(loss);
    await withdrawn(loss);
    await traffic.goOn();
    await world.whole('v1');
  }

  const [victim] = pods;
  const from = performance.now();
  const names = await world.nodes.lose(victim?.pod ?? '');
  const until = performance.now();
  const gone = pods.filter(({ pod }) => names.includes(pod)).map((one) => ({ ...one, from, until }));
  // The other node has the other Pod.
  expect(gone).toHaveLength(1);
  lost.push(...gone);
  for (const loss of gone) await withdrawn(loss);
  await traffic.goOn();

  const verdict = await traffic.stop();
  const failed = verdict.evidence.exchanges.filter(({ outcome }) => outcome.kind === 'failed');
  const { attributed, unexplained } = attribute({
    failed,
    losses: lost.map((loss) => ({ ...loss, withdrawnAt: watch.withdrawnAt(loss.address, loss.from) })),
    arrivals: await arrivals(
      world,
      pods.map(({ pod }) => pod),
    ),
    versionsOf: () => ['v1'],
  });
  console.log(
    [
      `${verdict.requests} requests, ${failed.length} failed: ${KILLS} Pods killed, one node lost`,
      ...attributed.map(reportLine),
    ].join('\n'),
  );
  expect(unexplained).toEqual([]);
  expect(attributed).toHaveLength(failed.length);
  expect(verdict).toMatchObject({
    misrouted: 0,
    failed: failed.length,
    refusedSeen: verdict.refusedExpected,
  });
}, 300_000);
