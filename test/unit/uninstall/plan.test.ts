// What stays when Switchyard goes is what the primary runs on and is reached by; what is under way is in the way.
import { expect, test } from 'vitest';
import { objectName } from '../../../src/adapters/kubernetes/names.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, type VersionName, versionName } from '../../../src/model/names.ts';
import type { Traffic, VersionState } from '../../../src/model/state.ts';
import { documentsOf } from '../../../src/uninstall/documents.ts';
import { type Installed, planOf, type Recorded } from '../../../src/uninstall/plan.ts';

const ORDERS = serviceName('orders');
const V1 = versionName('v1');
const V2 = versionName('v2');

const labels = (version: VersionName) => ({
  'switchyard.dev/service': 'orders',
  'switchyard.dev/version': version,
});

function object(kind: string, version: VersionName, name: string = objectName(ORDERS, version)) {
  return { apiVersion: 'v1', kind, metadata: { name, labels: labels(version) } };
}

function installed(record: Partial<Recorded> = {}, entrance: VersionName = V2): Installed {
  const version = (name: VersionName, state: VersionState) => ({
    name,
    state,
    reason: 'Wanted',
    since: instant(0),
    fenced: false,
  });
  const traffic: Traffic = { kind: 'steady', primary: V2, previous: V1 };
  const base: Recorded = {
    spec: { version: 'v2', runtime: { kind: 'kubernetes' } },
    traffic,
    versions: [version(V1, 'Standby'), version(V2, 'Primary')],
  };
  const kinds = ['Deployment', 'ControllerRevision', 'Secret'];
  return {
    services: [
      {
        apiVersion: 'switchyard.dev/v1alpha1',
        kind: 'VersionedService',
        metadata: { name: 'orders', generation: 4 },
        spec: { version: 'v2' },
        status: { observedGeneration: 4 },
      },
    ],
    routings: [
      {
        apiVersion: '',
        kind: 'ServiceRouting',
        metadata: { name: 'orders' },
        spec: { record: { ...base, ...record } },
      },
    ],
    made: [V1, V2].flatMap((one) => kinds.map((kind) => object(kind, one))),
    kubernetesServices: [
      { ...object('Service', V1), spec: { selector: labels(V1) } },
      { ...object('Service', V2), spec: { selector: labels(V2) } },
      { ...object('Service', entrance, 'orders'), spec: { selector: labels(entrance) } },
    ],
  };
}

const plan = (of: Installed, waiveOpenWork = false) => planOf(of, { waiveOpenWork })[0];

test('the Pods of the primary stay with what they read, and the Service that leads to them; other versions go', () => {
  const found = plan(installed());
  expect(found?.stays.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    `Deployment ${objectName(ORDERS, V2)}`,
    `ControllerRevision ${objectName(ORDERS, V2)}`,
    `Secret ${objectName(ORDERS, V2)}`,
    'Service orders',
  ]);
  expect(found).toMatchObject({ primary: 'v2', goes: ['v1'], refusals: [] });
});

const shifting: Traffic = { kind: 'shifting', primary: V1, candidate: V2, weight: 10, salt: 'a' };
const draining = [{ name: V1, state: 'Draining' as const, reason: 'a', since: instant(0), fenced: true }];

test('a shift, an open rollout, a spec that was not looked at, a drain and a Service that is behind are in the way', () => {
  const refusals = (of: Installed) => plan(of)?.refusals;
  expect(refusals(installed({ traffic: shifting }, V1))).toEqual([
    'orders: a shift runs: v2 has 10 % of the default traffic. Finish or abort it',
  ]);
  expect(refusals(installed({ rollout: { state: 'Paused', version: V2 } }))).toEqual([
    'orders: the rollout of v2 is Paused. Wait until it has ended, or abort it',
  ]);
  expect(refusals(installed({ rollout: { state: 'Succeeded', version: V2 } }))).toEqual([]);
  const { services, ...rest } = installed();
  const newer = services.map((one) => ({ ...one, metadata: { ...one.metadata, generation: 5 } }));
  expect(refusals({ ...rest, services: newer })).toEqual([
    'orders: its newest spec was not looked at yet, and may begin a rollout',
  ]);
  expect(refusals(installed({ versions: draining }))).toEqual([
    expect.stringMatching(/^orders: v1 may have open work/),
  ]);
  expect(plan(installed({ versions: draining }), true)?.refusals).toEqual([]);
  expect(refusals(installed({}, V1))).toEqual([
    'orders: Service orders still leads to v1, and v2 is primary',
  ]);
});

test('a service without a record, or whose instances are addresses, leaves nothing', () => {
  expect(plan({ ...installed(), routings: [] })).toMatchObject({ stays: [], goes: [], refusals: [] });
  const endpoints = { spec: { version: 'v2', runtime: { kind: 'endpoints' as const } } };
  expect(plan(installed(endpoints))).toMatchObject({ stays: [], primary: 'v2', refusals: [] });
});

test('the documents for another installation want what is primary, whatever was wished', () => {
  const traffic: Traffic = { kind: 'steady', primary: V1 };
  expect(documentsOf(planOf(installed({ traffic }, V1), { waiveOpenWork: false }))).toMatchObject({
    items: [{ kind: 'VersionedService', metadata: { name: 'orders' }, spec: { version: 'v1' } }],
  });
});

test('a route that gateways follow would go with its service, so it is in the way', () => {
  const spec = { version: 'v2', runtime: { kind: 'kubernetes', gatewayApi: {} } } as const;
  expect(plan(installed({ spec }))?.refusals).toEqual([
    expect.stringMatching('^orders: gateways reach it by its HTTPRoute, which goes with it'),
  ]);
});
