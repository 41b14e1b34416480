// What the controllers of gateways say of a route, parent by parent.
import { expect, test } from 'vitest';
import {
  type HttpRoute,
  parentStandings,
} from '../../../../../src/adapters/kubernetes/gateway-api/parents.ts';
import { gatewayAlerts } from '../../../../../src/model/gateway-standing.ts';
import type { GatewayApiSpec } from '../../../../../src/model/kubernetes.ts';

const SPEC: GatewayApiSpec = {
  parentRefs: [
    { kind: 'Gateway', name: 'main', namespace: 'infra', sectionName: 'https' },
    { kind: 'Gateway', name: 'main', namespace: 'infra', sectionName: 'http' },
    { kind: 'Service', name: 'manager' },
  ],
  hostnames: [],
  mode: 'Besides',
};

type Parent = NonNullable<NonNullable<HttpRoute['status']>['parents']>[number];

const said = (
  parentRef: Parent['parentRef'],
  accepted: string,
  controllerName = 'example.com/one',
): Parent => ({
  parentRef,
  controllerName,
  conditions: ['Accepted', 'ResolvedRefs'].map((type) => ({
    type,
    status: type === 'Accepted' ? accepted : 'True',
    reason: accepted === 'True' ? 'Accepted' : 'NotAllowedByListeners',
    observedGeneration: 4,
  })),
});

const routeWith = (...parents: readonly Parent[]): HttpRoute => ({
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: 'manager', namespace: 'shop', generation: 4 },
  status: { parents },
});

const states = (route: HttpRoute | undefined) =>
  parentStandings(SPEC, route, 'shop').map(({ parent, state }) => `${parent}: ${state}`);

test('each parent that the spec names is told of, by section, by kind and in its namespace', () => {
  const route = routeWith(
    said({ name: 'main', namespace: 'infra', sectionName: 'https' }, 'True'),
    said(
      {
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        name: 'main',
        namespace: 'infra',
        sectionName: 'http',
      },
      'False',
    ),
    said({ group: '', kind: 'Service', name: 'manager', namespace: 'shop' }, 'True'),
    // Of others: of another namespace, and of a parent that is not named any more.
    said({ name: 'main', sectionName: 'https' }, 'False'),
    said({ name: 'old', namespace: 'infra' }, 'False'),
  );
  expect(states(route)).toEqual([
    'Gateway infra/main, listener https: Accepted',
    'Gateway infra/main, listener http: Refused',
    'Service shop/manager: Accepted',
  ]);
});

test('where several controllers answer for one parent, each must have accepted the route', () => {
  const https = { name: 'main', namespace: 'infra', sectionName: 'https' };
  expect(states(routeWith(said(https, 'True'), said(https, 'False', 'example.com/two'))).slice(0, 2)).toEqual(
    ['Gateway infra/main, listener https: Accepted', 'Gateway infra/main, listener https: Refused'],
  );
});

test('a word about an older route is none, and half a word is none either', () => {
  const https = { name: 'main', namespace: 'infra', sectionName: 'https' };
  const older = said(https, 'False');
  const [accepted] = older.conditions ?? [];
  const half: Parent = {
    ...older,
    conditions: accepted === undefined ? [] : [{ ...accepted, status: 'True' }],
  };
  const newer: HttpRoute = { ...routeWith(older), metadata: { name: 'manager', generation: 5 } };
  expect(states(newer)[0]).toBe('Gateway infra/main, listener https: Waiting');
  expect(states(routeWith(half))[0]).toBe('Gateway infra/main, listener https: Waiting');
  expect(states(undefined)[0]).toBe('Gateway infra/main, listener https: Waiting');
});

test('alerts name parents that refuse, and those that nobody answers for; one that is only slow is no alert', () => {
  const route = routeWith(said({ name: 'main', namespace: 'infra', sectionName: 'http' }, 'False'));
  const about = { name: 'manager-1', problems: ['a problem'] };
  expect(gatewayAlerts({ ...about, parents: parentStandings(SPEC, route, 'shop').slice(0, 2) })).toEqual([
    'a problem',
    'HTTPRoute manager-1 at Gateway infra/main, listener https: no controller has said anything of the route there: is there such a parent?',
    'HTTPRoute manager-1 at Gateway infra/main, listener http: Accepted: NotAllowedByListeners',
  ]);
  expect(gatewayAlerts({ ...about, parents: parentStandings(SPEC, undefined, 'shop') })).toEqual([
    'a problem',
  ]);
});
