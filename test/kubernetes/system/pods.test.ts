// What happens to Pods under constant traffic. They are evicted by the eviction API: while the disruption budget and readiness are
// honoured nobody notices; where a candidate loses all its Pods at once, pinned requests are told so and never fall to the primary.
// They are killed with -9, and a node is lost: every request that fails was in flight there, or was sent before the endpoint was
// withdrawn; each is named. Both with SWITCHYARD_FULL=1; else the seed draws one.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { DISRUPTION_BUDGET, POD } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { eventually } from '../../support/eventually.ts';
import { attribute, type Loss, reportLine } from '../../support/kubernetes/system/attribution.ts';
import { EndpointWatch } from '../../support/kubernetes/system/endpoint-watch.ts';
import type { Installation } from '../../support/kubernetes/system/installation.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';
import { full, sample } from '../../support/seed.ts';

const WITHIN = 60_000;

const CASES = [
  {
    rule: 'evictions that honour the budget hurt nobody; pins to a candidate without Pods get 503 with the reason, and never the primary',
    happens: evictions,
  },
  {
    rule: 'every request that fails by lost Pods was in flight there, or was sent before the endpoint was withdrawn',
    happens: losses,
  },
];

test.each(sample(CASES, 1))(
  '$rule',
  async ({ happens }) => {
    await expect(happens()).resolves.toBeUndefined();
  },
  300_000,
);

interface Budget extends KubernetesObject {
  readonly status?: { readonly disruptionsAllowed?: number };
}

const LACKS_PODS = /NO_READY_ENDPOINT|the version has no ready endpoint/;

/** Asks for the eviction of a Pod; false where the budget does not let it go now. */
async function evict({ place: { api, namespace } }: Installation, name: string): Promise<boolean> {
  try {
    await api.json({
      method: 'POST',
      path: pathOf(POD, { namespace, name, subresource: 'eviction' }),
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } },
    });
    return true;
  } catch (error) {
    if (error instanceof KubernetesApiError && error.code === 429) return false;
    throw error;
  }
}

/** Evicts all Pods of a version as `kubectl drain` does: again and again, until the budget lets each go. Counts the refusals. */
async function drain(world: Installation, version: string): Promise<number> {
  let refused = 0;
  for (const { metadata } of await world.pods(version)) {
    await eventually(
      async () => {
        const isGoing = await evict(world, metadata.name);
        if (!isGoing) refused += 1;
        return isGoing;
      },
      { what: `the eviction of ${metadata.name}`, within: WITHIN, every: 200 },
    );
  }
  return refused;
}

/** Waits until the budget of a version would let so many Pods go. */
async function budget(world: Installation, version: string, count: number): Promise<void> {
  await eventually(
    async () => {
      const budgets = await world.all<Budget>(DISRUPTION_BUDGET);
      return budgets.some(
        ({ metadata, status }) =>
          metadata.labels?.['switchyard.dev/version'] === version && status?.disruptionsAllowed === count,
      );
    },
    { what: `a budget of ${version} that lets ${count} go`, within: WITHIN, every: 50 },
  );
}

async function evictions(): Promise<void> {
  const world = await useInstallation();
  const { traffic } = await useTraffic(world, { pins: ['v1', 'v2'], streamPins: ['v1'] });

  // A candidate that waits for somebody, with its header routes and no default traffic.
  const stage = { from: 'v1', to: 'v2', weight: 0, active: ['v1', 'v2'] };
  const pending = traffic.history.begin({ stage, at: performance.now() });
  await world.wish({ version: 'v2' });
  await eventually(
    async () => (await world.object()).status?.conditions?.some(({ reason }) => reason === 'Paused'),
    { what: 'a rollout that waits for somebody', within: WITHIN, every: 50 },
  );
  await world.inSync();
  pending.converged(await traffic.afterOneAnswer());
  await world.whole('v1', 'v2');

  const refused = await drain(world, 'v1');
  await drain(world, 'v2');
  await world.whole('v1', 'v2');
  // The second Pod had to wait for the first one's successor.
  expect(refused).toBeGreaterThan(0);

  // A budget that lets both go.
  const atOnce = performance.now();
  await world.wish({ version: 'v2', maxUnavailable: 2 });
  await budget(world, 'v2', 2);
  const both = await world.pods('v2');
  expect(await Promise.all(both.map(({ metadata }) => evict(world, metadata.name)))).toEqual([true, true]);
  await traffic.goOn();
  await world.whole('v1', 'v2');
  await traffic.goOn();

  const verdict = await traffic.stop();
  expect(verdict).toMatchObject({
    misrouted: 0,
    streamsCut: 0,
    tenantsMovedWrongly: 0,
    refusedSeen: verdict.refusedExpected,
  });
  const failed = verdict.evidence.exchanges.filter(({ outcome }) => outcome.kind === 'failed');
  const lacking = failed.filter(
    ({ asked, startedAt, outcome }) =>
      asked.pin === 'v2' &&
      startedAt >= atOnce &&
      outcome.kind === 'failed' &&
      LACKS_PODS.test(outcome.reason),
  );
  expect(verdict.faults.filter((fault) => !LACKS_PODS.test(fault))).toEqual([]);
  expect(failed).toHaveLength(lacking.length);
  expect(lacking.length).toBeGreaterThan(0);
}

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

async function losses(): Promise<void> {
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
}
