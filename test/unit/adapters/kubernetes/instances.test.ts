// EndpointSlices as they come: several for one Service, endpoints twice, conditions that are absent, other Services' slices.
import { expect, test } from 'vitest';
import { objectName } from '../../../../src/adapters/kubernetes/names.ts';
import { instancesOf } from '../../../../src/adapters/kubernetes/runtime/instances.ts';
import type { Endpoint, EndpointSlice, Pod } from '../../../../src/adapters/kubernetes/runtime/objects.ts';
import { serviceName, versionName } from '../../../../src/model/names.ts';

const SERVICE = serviceName('manager');
const V1 = versionName('v1');
const NAME = objectName(SERVICE, V1);

function slice(
  endpoints: readonly Endpoint[] | null,
  of: Partial<EndpointSlice> & { service?: string } = {},
): EndpointSlice {
  const { service = NAME, ...more } = of;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-x`,
      labels: {
        'kubernetes.io/service-name': service,
        'switchyard.dev/service': SERVICE,
        'switchyard.dev/version': V1,
      },
    },
    addressType: 'IPv4',
    ports: [{ name: 'requests', port: 8080 }],
    endpoints,
    ...more,
  };
}

function endpoint(
  host: string,
  of: { pod?: string; ready?: boolean | null; terminating?: boolean } = {},
): Endpoint {
  const { ready, terminating } = of;
  return {
    addresses: [host],
    conditions: {
      ...(ready === undefined ? {} : { ready }),
      ...(terminating === undefined ? {} : { terminating }),
    },
    targetRef: { kind: 'Pod', name: of.pod ?? 'manager-v1-a' },
  };
}

function pod(name: string, of: { ready?: boolean; status?: Pod['status']; isEnding?: boolean } = {}): Pod {
  const { ready = true, status = {}, isEnding = false } = of;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      creationTimestamp: '2026-11-30T00:00:00Z',
      ...(isEnding ? { deletionTimestamp: '2026-11-30T00:02:00Z' } : {}),
    },
    status: {
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: '2026-11-30T00:01:00Z' },
      ],
      ...status,
    },
  };
}

function shown(slices: readonly EndpointSlice[], pods: readonly Pod[], wereReady: readonly string[] = []) {
  return instancesOf({ service: SERVICE, slices, pods, wereReady: new Set(wereReady) }).map(
    ({ id, address, state }) => `${id} ${address.host}:${address.port} ${state}`,
  );
}

const A = pod('manager-v1-a');
const B = pod('manager-v1-b');

test('an endpoint of each slice of the Service is an instance', () => {
  const slices = [
    slice([endpoint('10.0.0.1', { ready: true })]),
    slice([endpoint('10.0.0.2', { pod: 'manager-v1-b', ready: true })]),
  ];
  expect(shown(slices, [A, B])).toEqual([
    'manager-v1-a 10.0.0.1:8080 Ready',
    'manager-v1-b 10.0.0.2:8080 Ready',
  ]);
});

test('a condition that is absent or null is ready', () => {
  expect(shown([slice([endpoint('10.0.0.1')])], [A])).toEqual(['manager-v1-a 10.0.0.1:8080 Ready']);
  expect(shown([slice([endpoint('10.0.0.1', { ready: null })])], [A])).toEqual([
    'manager-v1-a 10.0.0.1:8080 Ready',
  ]);
});

test('an endpoint that moves between slices is one instance, ready where both say so', () => {
  const slices = [
    slice([endpoint('10.0.0.1', { ready: true })]),
    slice([endpoint('10.0.0.1', { ready: false })]),
  ];
  expect(shown(slices, [A])).toEqual(['manager-v1-a 10.0.0.1:8080 Starting']);
  expect(shown(slices.toReversed(), [A])).toEqual(['manager-v1-a 10.0.0.1:8080 Starting']);
});

test('a Pod with an address of both families is one instance, by its IPv4', () => {
  const six = slice([endpoint('fd00::1', { ready: true })], { addressType: 'IPv6' });
  const four = slice([endpoint('10.0.0.1', { ready: true })]);
  expect(shown([six, four], [A])).toEqual(['manager-v1-a 10.0.0.1:8080 Ready']);
  expect(shown([six], [A])).toEqual(['manager-v1-a fd00::1:8080 Ready']);
});

test('slices of other Services, of host names, without our port or without endpoints are passed over', () => {
  const ready = [endpoint('10.0.0.1', { ready: true })];
  const slices = [
    slice(ready, { service: 'manager' }),
    slice(ready, { addressType: 'FQDN' }),
    slice(ready, { ports: [{ name: 'metrics', port: 9090 }] }),
    slice(ready, { ports: [{ name: 'requests', port: null }] }),
    slice(ready, { ports: null }),
    slice(null),
    slice([{ addresses: [] }]),
  ];
  expect(shown(slices, [A])).toEqual([]);
});

test('of several addresses of one endpoint the first counts', () => {
  const both = { ...endpoint('10.0.0.1', { ready: true }), addresses: ['10.0.0.1', '10.0.0.9'] };
  expect(shown([slice([both])], [A])).toEqual(['manager-v1-a 10.0.0.1:8080 Ready']);
});

test('the slice alone does not make a Pod ready: the Pod must say so too', () => {
  const slices = [slice([endpoint('10.0.0.1', { ready: true })])];
  expect(shown(slices, [pod('manager-v1-a', { ready: false })])).toEqual([
    'manager-v1-a 10.0.0.1:8080 Starting',
  ]);
  expect(shown(slices, [])).toEqual(['manager-v1-a 10.0.0.1:8080 Starting']);
});

test('an endpoint that is no Pod is what its slice says', () => {
  const { targetRef: _, ...bare } = endpoint('10.0.0.1', { ready: true });
  expect(shown([slice([bare])], [])).toEqual([`${NAME}-10.0.0.1 10.0.0.1:8080 Ready`]);
});

test('one that ends is Stopping, also while its slice calls it ready', () => {
  expect(shown([slice([endpoint('10.0.0.1', { ready: true, terminating: true })])], [A])).toEqual([
    'manager-v1-a 10.0.0.1:8080 Stopping',
  ]);
  expect(
    shown([slice([endpoint('10.0.0.1', { ready: true })])], [pod('manager-v1-a', { isEnding: true })]),
  ).toEqual(['manager-v1-a 10.0.0.1:8080 Stopping']);
});

test('one that was ready before is Unready, one that crashes is Failed, with the reason and how often it began again', () => {
  const slices = [slice([endpoint('10.0.0.1', { ready: false })])];
  expect(shown(slices, [pod('manager-v1-a', { ready: false })], ['manager-v1-a'])).toEqual([
    'manager-v1-a 10.0.0.1:8080 Unready',
  ]);
  const crashing = pod('manager-v1-a', {
    ready: false,
    status: {
      containerStatuses: [
        {
          name: 'manager',
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off\n40s' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
      ],
      conditions: [],
    },
  });
  expect(instancesOf({ service: SERVICE, slices, pods: [crashing], wereReady: new Set() })).toEqual([
    expect.objectContaining({
      state: 'Failed',
      restarts: 3,
      reason:
        'manager: CrashLoopBackOff: back-off 40s; it ended with exit code 137 (OOMKilled); started again 3 times',
      since: Date.parse('2026-11-30T00:00:00Z'),
    }),
  ]);
});

test('an instance is in the zone of its endpoint, and in none where that has none', () => {
  const zoned: Endpoint = { ...endpoint('10.0.0.1'), zone: 'zone-a' };
  const others = [
    endpoint('10.0.0.2', { pod: 'manager-v1-b' }),
    { ...endpoint('10.0.0.3', { pod: 'manager-v1-c' }), zone: null },
    { ...endpoint('10.0.0.4', { pod: 'manager-v1-d' }), zone: '' },
  ];
  const found = instancesOf({
    service: SERVICE,
    slices: [slice([zoned, ...others])],
    pods: [],
    wereReady: new Set(),
  });
  expect(found.map(({ zone }) => zone)).toEqual(['zone-a', undefined, undefined, undefined]);
  expect(found[1]).not.toHaveProperty('zone');
});
