/** What `status` makes of a service and its proxies. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { healthOf } from '../../../src/cli/health.ts';
import {
  InstanceState,
  ProxySchema,
  ServiceSchema,
  VersionState,
} from '../../../src/gen/switchyard/admin/v1/resources_pb.js';
import { RolloutSchema, RolloutState } from '../../../src/gen/switchyard/admin/v1/rollouts_pb.js';

const { PROGRESSING, PAUSED, INCONCLUSIVE, ROLLED_BACK } = RolloutState;
type ServiceInit = MessageInitShape<typeof ServiceSchema>;
type ProxyInit = MessageInitShape<typeof ProxySchema>;

const healthy: ServiceInit = {
  name: 'manager',
  wantedVersion: 'v2',
  traffic: { kind: { case: 'steady', value: { primary: 'v2', previous: 'v1' } } },
  versions: [
    { name: 'v1', state: VersionState.STANDBY, readyEndpoints: 2 },
    { name: 'v2', state: VersionState.PRIMARY, readyEndpoints: 2 },
  ],
};
const inSync: ProxyInit = { id: 'gateway', connected: true, inSync: true };
const shifting: ServiceInit['traffic'] = {
  kind: { case: 'shifting', value: { primary: 'v1', candidate: 'v2', weight: 10 } },
};
const failed = { id: 'i-1', state: InstanceState.FAILED, reason: 'exit code 1' };
const rejecting: ProxyInit = {
  ...inSync,
  inSync: false,
  connection: { types: [{ type: 'routes', rejection: { message: 'no such filter' } }] },
};

const walked = { id: 'manager_v2_3', version: 'v2', because: 'measuring' };
const wantedOnly: ServiceInit = {
  ...healthy,
  traffic: { kind: { case: 'steady', value: { primary: 'v1' } } },
};

test.each<[string, string, ServiceInit, ProxyInit[], MessageInitShape<typeof RolloutSchema>?]>([
  ['Healthy', 'v2 gets all default traffic', healthy, [inSync]],
  ['Healthy', 'v2 gets', healthy, []],
  ['Healthy', 'v2 gets', healthy, [{ id: 'gone', connected: false }]],
  ['Paused', 'v2 gets 10% of the default traffic, v1 the rest', { ...healthy, traffic: shifting }, [inSync]],
  [
    'Progressing',
    'gateway is behind, at publication 7',
    healthy,
    [{ ...inSync, inSync: false, publication: 7n }],
  ],
  ['Progressing', 'v3 is not there yet', { ...healthy, wantedVersion: 'v3' }, []],
  [
    'Progressing',
    'no version is primary yet',
    { ...healthy, traffic: { kind: { case: 'none', value: {} } } },
    [],
  ],
  ['Degraded', 'v2 has no ready endpoint', { ...healthy, alerts: ['v2 has no ready endpoint'] }, [inSync]],
  ['Degraded', 'gateway rejected routes: no such filter', healthy, [rejecting]],
  [
    'Degraded',
    'i-1 of v2 failed: exit code 1',
    { ...healthy, versions: [{ name: 'v2', instances: [failed] }] },
    [],
  ],
  ['Progressing', 'manager_v2_3 is Progressing', wantedOnly, [inSync], { ...walked, state: PROGRESSING }],
  [
    'Progressing',
    'i-1 of v2 failed: exit code 1',
    { ...wantedOnly, versions: [{ name: 'v2', instances: [failed] }] },
    [],
    { ...walked, state: PROGRESSING },
  ],
  ['Degraded', 'no such filter', wantedOnly, [rejecting], { ...walked, state: PAUSED }],
  ['Paused', 'is Paused at its start: measuring', wantedOnly, [inSync], { ...walked, state: PAUSED }],
  ['Paused', 'is Inconclusive', wantedOnly, [inSync], { ...walked, state: INCONCLUSIVE }],
  ['Degraded', 'is RolledBack', wantedOnly, [inSync], { ...walked, state: ROLLED_BACK }],
  // Somebody has moved the traffic by hand since.
  ['Healthy', 'v2 gets all', healthy, [inSync], { ...walked, state: ROLLED_BACK }],
  ['Healthy', 'v2 gets all', healthy, [inSync], { ...walked, version: 'v1', state: ROLLED_BACK }],
])('%s: %s', (phase, reason, service, proxies, rollout) => {
  const health = healthOf({
    service: create(ServiceSchema, service),
    proxies: proxies.map((proxy) => create(ProxySchema, proxy)),
    ...(rollout && { rollout: create(RolloutSchema, rollout) }),
  });
  expect(health.phase).toBe(phase);
  expect(health.reasons.join('; ')).toContain(reason);
});
