// Pods are evicted by the eviction API, under constant traffic. While the disruption budget and readiness are honoured nobody
// notices; where a candidate loses all its Pods at once, pinned requests are told so and never fall to the primary.
import { expect, test } from 'vitest';
import { KubernetesApiError } from '../../../src/adapters/kubernetes/client/api-error.ts';
import { DISRUPTION_BUDGET, POD } from '../../../src/adapters/kubernetes/client/kinds.ts';
import { type KubernetesObject, pathOf } from '../../../src/adapters/kubernetes/client/objects.ts';
import { eventually } from '../../support/eventually.ts';
import type { Installation } from '../../support/kubernetes/system/installation.ts';
import { useInstallation } from '../../support/kubernetes/system/use-installation.ts';
import { useTraffic } from '../../support/kubernetes/system/use-traffic.ts';

interface Budget extends KubernetesObject {
  readonly status?: { readonly disruptionsAllowed?: number };
}

const WITHIN = 60_000;
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

test('evictions that honour the budget hurt nobody; pins to a candidate without Pods get 503 with the reason, and never the primary', async () => {
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
}, 300_000);
