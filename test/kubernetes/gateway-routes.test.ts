// HTTPRoutes at a real API server with the Gateway API's own definitions: they are taken, kept as they are wanted, and what a
// gateway's controller says of them is read. No gateway runs here.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../../src/adapters/clock.ts';
import { pathOf } from '../../src/adapters/kubernetes/client/objects.ts';
import { KubernetesGatewayRoutes } from '../../src/adapters/kubernetes/gateway-api/gateway-routes.ts';
import { HTTP_ROUTE } from '../../src/adapters/kubernetes/gateway-api/http-route.ts';
import type { HttpRoute } from '../../src/adapters/kubernetes/gateway-api/parents.ts';
import { httpRouteName } from '../../src/adapters/kubernetes/names.ts';
import type { GatewayApiSpec } from '../../src/model/kubernetes.ts';
import { serviceName } from '../../src/model/names.ts';
import type { GatewayWish } from '../../src/ports/gateway-routes.ts';
import { refusal } from '../support/kubernetes/custom-resources.ts';
import { answerRoute, installGatewayApi, removeGatewayApi } from '../support/kubernetes/gateway-api.ts';
import { podSpec, runtimeWorld } from '../support/kubernetes/runtime-world.ts';
import { type RoutesFacts, serviceRoutes } from '../support/tables.ts';

const MANAGER = serviceName('manager');
const NAME = httpRouteName(MANAGER);
const PATIENCE = { timeout: 30_000, interval: 50 };
const GATEWAY: GatewayApiSpec = {
  parentRefs: [{ kind: 'Gateway', name: 'main' }],
  hostnames: [],
  mode: 'Besides',
};

function wishOf(facts: RoutesFacts = {}, gatewayApi: GatewayApiSpec = GATEWAY): GatewayWish {
  const routes = serviceRoutes(facts);
  return { service: routes.service, spec: podSpec({ gatewayApi }), routes };
}

const split = (weight: number): RoutesFacts => ({
  defaultRoute: { kind: 'Split', primary: 'v1', candidate: 'v2', weight, salt: '' },
});

async function world({ hasGatewayApi = true } = {}) {
  const runtimes = await runtimeWorld({ hasNode: false });
  if (hasGatewayApi) await installGatewayApi(runtimes);
  else await removeGatewayApi(runtimes);
  const { caches } = await runtimes.open();
  const { api, namespace } = runtimes;
  let isLeader = true;
  const routes = new KubernetesGatewayRoutes({
    api,
    namespace,
    caches,
    clock: systemClock,
    random: () => 0,
    isLeader: () => isLeader,
    ownerOf: () => undefined,
  });
  onTestFinished(() => routes.close());
  const read = (): Promise<HttpRoute> => api.get<HttpRoute>(HTTP_ROUTE, { namespace, name: NAME });
  const weights = async (): Promise<readonly number[] | undefined> => {
    const { rules } = (await read()).spec as { rules: { backendRefs: { weight: number }[] }[] };
    return rules.at(-1)?.backendRefs.map(({ weight }) => weight);
  };
  return {
    ...runtimes,
    routes,
    read,
    weights,
    lead: (leads: boolean) => {
      isLeader = leads;
      if (leads) routes.leadershipChanged();
    },
    /** Wishes a service's routes, and waits until they are written. */
    async written(facts: RoutesFacts = {}) {
      routes.want([wishOf(facts)]);
      await vi.waitFor(
        () => expect(routes.standing(MANAGER)?.parents[0]?.message).not.toMatch('not written'),
        PATIENCE,
      );
    },
    states: () => routes.standing(MANAGER)?.parents.map(({ state }) => state),
    patch: (
      contentType: 'application/merge-patch+json' | 'application/apply-patch+yaml',
      manager: string,
      body: object,
    ) =>
      api.json({
        method: 'PATCH',
        path: pathOf(HTTP_ROUTE, { namespace, name: NAME }),
        query: { fieldManager: manager, ...(contentType.includes('apply') ? { force: true } : {}) },
        body,
        contentType,
      }),
  };
}

test('a cluster without the Gateway API: that is told, nobody waits for it, and it is taken up when it appears', async () => {
  const w = await world({ hasGatewayApi: false });
  await w.routes.tidy();
  w.routes.want([wishOf()]);
  await vi.waitFor(() => {
    expect(w.routes.standing(MANAGER)?.problems).toEqual([
      expect.stringMatching('^HTTPRoute of gateway.networking.k8s.io/v1 is not installed'),
    ]);
  }, PATIENCE);
  expect(w.routes.behind(MANAGER)).toEqual([]);
  await installGatewayApi(w);
  await vi.waitFor(async () => expect(await w.weights()).toEqual([100, 0]), {
    timeout: 60_000,
    interval: 100,
  });
  await vi.waitFor(
    () => expect(w.routes.behind(MANAGER)).toEqual([`HTTPRoute ${NAME} at Gateway ${w.namespace}/main`]),
    PATIENCE,
  );
});

test('the API server takes every kind of route that we make', async () => {
  const place = await runtimeWorld({ hasNode: false });
  await installGatewayApi(place);
  const folder = 'test/golden/gateway-api';
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.out.yaml'))) {
    const { metadata, ...route } = parse(readFileSync(`${folder}/${file}`, 'utf8')) as HttpRoute;
    const object = { ...route, metadata: { name: metadata.name, namespace: place.namespace } };
    expect([file, (await refusal(place, HTTP_ROUTE, object))?.message]).toEqual([file, undefined]);
  }
});

test('a route follows the weights, is written once for each change, and not where nothing changed', async () => {
  const w = await world();
  await w.written();
  expect((await w.read()).metadata.labels).toMatchObject({ 'switchyard.dev/service': 'manager' });
  await w.written(split(5));
  await vi.waitFor(async () => expect(await w.weights()).toEqual([95, 5]), PATIENCE);
  const writes = () => w.api.asked.filter((asked) => asked.startsWith('PATCH'));
  const before = writes().length;
  w.routes.want([wishOf(split(5))]);
  await w.written({ ...split(5), versions: { v1: { endpoints: [{ host: '10.0.0.1', port: 1 }] }, v2: {} } });
  expect(writes()).toHaveLength(before);
});

test('a gateway has a route when its controller has accepted it as it is now, and found all that it names', async () => {
  const w = await world();
  await w.written();
  expect(w.states()).toEqual(['Waiting']);
  expect(w.routes.behind(MANAGER)).toEqual([`HTTPRoute ${NAME} at Gateway ${w.namespace}/main`]);
  await answerRoute(w, NAME, { accepted: 'True' });
  await vi.waitFor(() => expect(w.routes.behind(MANAGER)).toEqual([]), PATIENCE);
  expect(w.routes.standing(MANAGER)?.parents).toEqual([
    {
      parent: `Gateway ${w.namespace}/main`,
      controller: 'example.com/gateways',
      state: 'Accepted',
      reason: 'Accepted',
      message: 'it has accepted the route',
    },
  ]);
  // Not from the moment on in which another route is wished.
  w.routes.want([wishOf(split(50))]);
  expect(w.routes.behind(MANAGER)).toHaveLength(1);
  await vi.waitFor(async () => expect(await w.weights()).toEqual([50, 50]), PATIENCE);
  await vi.waitFor(() => expect(w.states()).toEqual(['Waiting']), PATIENCE);
  await answerRoute(w, NAME, { accepted: 'True', resolvedRefs: 'False', reason: 'BackendNotFound' });
  await vi.waitFor(() => expect(w.states()).toEqual(['Refused']), PATIENCE);
  expect(w.routes.standing(MANAGER)?.parents[0]?.message).toBe('ResolvedRefs: BackendNotFound');
  await answerRoute(w, NAME, { accepted: 'False', reason: 'UnsupportedValue' });
  await vi.waitFor(
    () => expect(w.routes.standing(MANAGER)?.parents[0]?.message).toBe('Accepted: UnsupportedValue'),
    PATIENCE,
  );
  await answerRoute(w, NAME, { accepted: 'True', partiallyInvalid: 'True', reason: 'UnsupportedValue' });
  await vi.waitFor(
    () => expect(w.routes.standing(MANAGER)?.parents[0]?.message).toBe('PartiallyInvalid: UnsupportedValue'),
    PATIENCE,
  );
  const { generation = 0 } = (await w.read()).metadata;
  await answerRoute(w, NAME, { accepted: 'True', generation: generation - 1 });
  await vi.waitFor(() => expect(w.states()).toEqual(['Waiting']), PATIENCE);
});

test('what somebody changes or deletes by hand is put right; what a program applies is left to it, and told', async () => {
  const w = await world();
  await w.written();
  const { uid } = (await w.read()).metadata;
  const rules = [{ backendRefs: [{ name: 'other', port: 80 }] }];
  await w.patch('application/merge-patch+json', 'kubectl-edit', {
    spec: { rules, hostnames: ['a.example.com'] },
  });
  await vi.waitFor(async () => expect(await w.weights()).toEqual([100, 0]), PATIENCE);
  expect((await w.read()).spec).toMatchObject({ hostnames: [] });
  await w.api.delete(HTTP_ROUTE, { namespace: w.namespace, name: NAME });
  await vi.waitFor(async () => expect((await w.read()).metadata.uid).not.toBe(uid), PATIENCE);
  await w.patch('application/apply-patch+yaml', 'argocd', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: NAME },
    spec: { hostnames: ['b.example.com'] },
  });
  await vi.waitFor(() => {
    expect(w.routes.standing(MANAGER)?.problems).toContainEqual(
      expect.stringMatching('argocd applies .*hostnames too'),
    );
  }, PATIENCE);
  expect(w.routes.behind(MANAGER)).toHaveLength(1);
});

test('a replica that does not lead writes nothing, and one that has not wished yet takes nothing away', async () => {
  const w = await world();
  w.lead(false);
  w.routes.want([wishOf()]);
  w.routes.want([wishOf(split(10))]);
  await expect(w.read()).rejects.toThrow('not found');
  w.lead(true);
  await vi.waitFor(async () => expect(await w.weights()).toEqual([90, 10]), PATIENCE);
  w.routes.rest();
  await w.patch('application/merge-patch+json', 'kubectl-edit', {
    metadata: { annotations: { some: 'news' } },
  });
  w.routes.want([wishOf(split(20))]);
  await vi.waitFor(async () => expect(await w.weights()).toEqual([80, 20]), PATIENCE);
});

test('a route that nobody wishes any more is taken away, also one that an earlier leader has left', async () => {
  const w = await world();
  await w.written();
  w.routes.want([]);
  expect(w.routes.standing(MANAGER)).toBeUndefined();
  await vi.waitFor(() => expect(w.read()).rejects.toThrow('not found'), PATIENCE);
  await w.written();
  w.routes.rest();
  await w.routes.tidy();
  await w.read();
  w.routes.want([]);
  await w.routes.tidy();
  await expect(w.read()).rejects.toThrow('not found');
});

test('what has no room in a route is told, the route stays, and the missing refusal backend is named', async () => {
  const w = await world();
  await w.written();
  expect(w.routes.standing(MANAGER)?.problems).toEqual([
    expect.stringMatching('^there is no Service switchyard-refusals'),
  ]);
  const holds = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`t${index}`, 'v1']));
  w.routes.want([wishOf({ ...split(50), holds })]);
  expect(w.routes.standing(MANAGER)?.problems).toEqual([
    expect.stringMatching(`^HTTPRoute ${NAME} stays as it is: 65 matches`),
  ]);
  expect(w.routes.behind(MANAGER)).toHaveLength(1);
  expect(await w.weights()).toEqual([100, 0]);
});
