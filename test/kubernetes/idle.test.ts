// What many services cost while nothing happens, and while one thing does: counted, not timed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  CONTROLLER_STATE,
  ROLLOUT,
  SERVICE_ROUTING,
  VERSIONED_SERVICE,
} from '../../src/adapters/kubernetes/custom-resources.ts';
import type { ServiceObject } from '../../src/custom-resources/objects.ts';
import { serviceName, versionName } from '../../src/model/names.ts';
import { CONTROLLER_CLUSTER, clusterName, statisticsName } from '../../src/xds/translate/names.ts';
import type { Envoy } from '../support/envoy.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { installKinds } from '../support/kubernetes/custom-resources.ts';
import { ReplicaProcess, XDS_PORT } from '../support/kubernetes/replica.ts';
import { testNamespace } from '../support/kubernetes/shared-cluster.ts';
import { ApiGate } from '../support/kubernetes/system/api-gate.ts';
import { endpointAddress, writeEndpoints, writtenService } from '../support/kubernetes/written-endpoints.ts';
import { startGateway } from '../support/system/gateway.ts';
import { Relay } from '../support/system/relay.ts';

const SERVICES = Array.from({ length: 20 }, (_, index) => serviceName(`service-${index}`));
const V1 = versionName('v1');
const WITHIN = 60_000;
/** Longer than the five seconds after which proxies and watchers are saved, where there is something to save. */
const WINDOW_MS = 7_000;

/** Twenty services, a replica that leads, and an Envoy that follows all of them. */
async function world() {
  const place = await testNamespace();
  const { api, namespace } = place;
  await installKinds(place, SERVICE_ROUTING, CONTROLLER_STATE, VERSIONED_SERVICE, ROLLOUT);
  const folder = await mkdtemp(join(tmpdir(), 'switchyard-idle-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const gate = await ApiGate.before(place.kubeconfig, join(folder, 'kubeconfig'));
  onTestFinished(() => gate.close());
  const replica = await ReplicaProcess.start(
    { namespace, kubeconfig: gate.kubeconfig },
    { number: 1, folder },
  );
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'fail') console.error(replica.log());
    await replica.stop();
  });
  const port = await freePort();
  for (const [index, service] of SERVICES.entries()) {
    const addresses = [endpointAddress(2 * index), endpointAddress(2 * index + 1)];
    await writeEndpoints(place, { service, version: V1, addresses });
    const object = writtenService({ namespace, service, version: V1, port });
    await api.create(VERSIONED_SERVICE, { namespace }, object);
  }
  await eventually(
    async () => {
      const objects = await Promise.all(
        SERVICES.map((name) => api.get<ServiceObject>(VERSIONED_SERVICE, { namespace, name })),
      );
      return objects.every(({ status }) =>
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      );
    },
    { what: 'all services ready', within: WITHIN, every: 250 },
  );
  const relay = await Relay.to(() => ({ host: replica.address, port: XDS_PORT }));
  onTestFinished(() => relay.close());
  const envoy = await startGateway({
    name: 'gateway',
    server: replica.server,
    xdsPort: relay.port,
    protocol: 'delta',
  });
  onTestFinished(() => envoy.stop());
  for (const service of SERVICES) await members(envoy, service, 2);
  return { place, gate, envoy };
}

const statOf = (service: string, name: string): string =>
  `cluster.${statisticsName(clusterName(serviceName(service), V1))}.${name}`;

async function members(envoy: Envoy, service: string, count: number): Promise<void> {
  await eventually(async () => (await envoy.stat(statOf(service, 'membership_total'))) === count, {
    what: `${count} endpoints of ${service} at the Envoy`,
    within: WITHIN,
    every: 50,
  });
}

/** What was asked of the API server, without the Lease and without watches that are begun anew. */
function beyondLease(asked: readonly string[]): readonly string[] {
  return asked.filter((line) => !line.includes('/leases/') && !line.startsWith('WATCH '));
}

/** What the Envoy was told of, by the statistics that count it. */
async function updates(envoy: Envoy): Promise<ReadonlyMap<string, number>> {
  const all = await envoy.stats('update_success$');
  // Of the controller itself: how often its name was looked up.
  return new Map([...all].filter(([name]) => name !== `cluster.${CONTROLLER_CLUSTER}.update_success`));
}

test('nothing is asked of the API server but the Lease while nothing happens, and new endpoints are told of one cluster only', async () => {
  const { place, gate, envoy } = await world();
  let seen = -1;
  await eventually(
    async () => {
      const before = seen;
      seen = beyondLease(gate.asked).length;
      await sleep(WINDOW_MS / 2);
      return before === seen;
    },
    { what: 'a rest', within: WITHIN },
  );
  const from = gate.asked.length;
  const [quiet] = await Promise.all([updates(envoy), sleep(WINDOW_MS)]);
  const meanwhile = gate.asked.slice(from);
  expect(beyondLease(meanwhile)).toEqual([]);
  expect(meanwhile.some((line) => line.includes('/leases/'))).toBe(true);
  expect(await updates(envoy)).toEqual(quiet);

  const changed = SERVICES[7] ?? expect.fail();
  const start = gate.asked.length;
  const addresses = [endpointAddress(14), endpointAddress(15), endpointAddress(1_000)];
  await writeEndpoints(place, { service: changed, version: V1, addresses });
  await members(envoy, changed, 3);
  const told = [...(await updates(envoy))].filter(([name, count]) => quiet.get(name) !== count);
  expect(told.map(([name]) => name)).toEqual([statOf(changed, 'update_success')]);
  // How many instances there are is in the status of that service, and that is all that is written.
  await eventually(() => beyondLease(gate.asked.slice(start)).length > 0, {
    what: 'its status',
    within: WITHIN,
  });
  await sleep(WINDOW_MS / 2);
  for (const line of beyondLease(gate.asked.slice(start)))
    expect(line).toMatch(new RegExp(`/versionedservices/${changed}(/status)?$`));
}, 240_000);
