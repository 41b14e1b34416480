// A service whose routes are an HTTPRoute and nothing else, from its object to its refusals: two replicas as processes, Pods as
// processes, and a gateway's controller that says yes when it is told to.
import { expect, onTestFinished, test } from 'vitest';
import { SERVICE as SERVICE_KIND } from '../../src/adapters/kubernetes/client/kinds.ts';
import type { KubernetesObject } from '../../src/adapters/kubernetes/client/objects.ts';
import { ROLLOUT, VERSIONED_SERVICE } from '../../src/adapters/kubernetes/custom-resources.ts';
import { HTTP_ROUTE } from '../../src/adapters/kubernetes/gateway-api/http-route.ts';
import type { HttpRoute } from '../../src/adapters/kubernetes/gateway-api/parents.ts';
import { httpRouteName } from '../../src/adapters/kubernetes/names.ts';
import type { RolloutObject } from '../../src/custom-resources/rollout-object.ts';
import type { ServiceStatus } from '../../src/custom-resources/service-status.ts';
import { serviceName } from '../../src/model/names.ts';
import { eventually } from '../support/eventually.ts';
import { answerRoute, installGatewayApi } from '../support/kubernetes/gateway-api.ts';
import { testNamespace } from '../support/kubernetes/shared-cluster.ts';
import { SERVICE } from '../support/kubernetes/system/manager-object.ts';
import { useInstallation } from '../support/kubernetes/system/use-installation.ts';

const WITHIN = 60_000;
const NAME = httpRouteName(serviceName(SERVICE));

test('a flip waits until the gateway has accepted it; unknown pins are refused by every replica; our own proxies are told nothing', async () => {
  const place = await testNamespace();
  await installGatewayApi(place);
  const world = await useInstallation({ place, replicas: 2 });
  const { api, namespace } = place;
  const wish = async (version: string): Promise<void> => {
    const { spec, ...manifest } = world.manifest({ version, replicas: 1 });
    const { runtime, ...rest } = spec as { readonly runtime: { readonly kubernetes: object } };
    const gatewayApi = { parentRefs: [{ name: 'main' }], mode: 'Instead' };
    const object = {
      ...manifest,
      spec: { ...rest, runtime: { kubernetes: { ...runtime.kubernetes, gatewayApi } } },
    };
    await api.apply(
      VERSIONED_SERVICE,
      { namespace, name: SERVICE },
      { object, manager: 'switchyard-cli', force: true },
    );
  };
  const route = (): Promise<HttpRoute> => api.get<HttpRoute>(HTTP_ROUTE, { namespace, name: NAME });
  const weights = async (): Promise<string> => {
    const { rules } = (await route()).spec as { rules: { backendRefs: { weight: number }[] }[] };
    return (
      rules
        .at(-1)
        ?.backendRefs.map(({ weight }) => weight)
        .join() ?? ''
    );
  };
  const status = async () => (await world.object()).status as ServiceStatus | undefined;
  const accepted = async () =>
    (await status())?.conditions.find(({ type }) => type === 'GatewayRoutesAccepted');

  let isAccepting = true;
  const stop = new AbortController();
  const gateway = (async () => {
    for (let answered = 0; !stop.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 100))) {
      const { generation = 0 } = await route().then(
        ({ metadata }) => metadata,
        () => ({ generation: 0 }),
      );
      if (!isAccepting || generation === answered) continue;
      // Whoever has written it meanwhile is answered in the next turn.
      await answerRoute(place, NAME, { accepted: 'True', generation }).then(
        () => (answered = generation),
        () => undefined,
      );
    }
  })();
  onTestFinished(async () => {
    stop.abort();
    await gateway;
  });

  await wish('v1');
  await world.condition('Ready', 'True');
  await world.condition('GatewayRoutesAccepted', 'False');
  expect((await accepted())?.message).toMatch(/^there is no Service switchyard-refusals/);
  await api.create(
    SERVICE_KIND,
    { namespace },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'switchyard-refusals', namespace },
      spec: { ports: [{ port: 18_005 }] },
    },
  );
  await world.condition('GatewayRoutesAccepted', 'True');
  expect((await accepted())?.message).toMatch(/accepted by Gateway .*\/main; rules 1, 3 and 5 are off/);
  expect((await status())?.gatewayRoutes).toMatchObject({
    name: NAME,
    rulesOff: [1, 3, 5],
    parents: [{ parent: `Gateway ${namespace}/main`, state: 'Accepted' }],
  });
  expect((await route()).metadata.ownerReferences).toMatchObject([
    { kind: 'VersionedService', name: SERVICE },
  ]);

  await wish('v2');
  await eventually(async () => (await status())?.conditions.some(({ reason }) => reason === 'Paused'), {
    what: 'a rollout that waits for somebody',
    within: WITHIN,
  });
  isAccepting = false;
  await world.order('promote 1');
  await eventually(async () => (await weights()) === '0,100', {
    what: 'the flip in the route',
    within: WITHIN,
  });
  await eventually(
    async () => {
      const rollouts = await world.all<RolloutObject>(ROLLOUT);
      const told = rollouts.find(({ spec }) => spec.version === 'v2')?.status?.message ?? '';
      return told.includes(`not everywhere yet: HTTPRoute ${NAME} at Gateway ${namespace}/main`);
    },
    { what: 'a rollout that names the gateway', within: WITHIN },
  );
  await world.condition('GatewayRoutesAccepted', 'Unknown');
  expect((await accepted())?.reason).toBe('Waiting');
  // Clients without a proxy are led on when those of the gateway are.
  const primary = await api.get<KubernetesObject>(SERVICE_KIND, { namespace, name: SERVICE });
  expect(JSON.stringify(primary)).toContain('"switchyard.dev/version":"v1"');
  isAccepting = true;
  await world.condition('Ready', 'True');
  await world.rollout('v2', 'Succeeded');
  await world.primaryService('v2');

  for (const { process } of world.replicas.all) {
    const answer = await fetch(`http://${process.address}:18005/`, {
      headers: { 'x-switchyard-service': SERVICE, 'x-delegate-version': 'v9' },
    });
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      code: 'VERSION_NOT_ACTIVE',
      activeVersions: ['v1', 'v2'],
      primary: 'v2',
    });
  }
  const leader = await world.replicas.leader();
  const exported = await leader.process.run('export', 'envoy');
  const { static_resources: shown } = JSON.parse(exported.stdout) as { readonly static_resources: object };
  expect(shown).toEqual({ listeners: [], clusters: [] });
}, 240_000);
