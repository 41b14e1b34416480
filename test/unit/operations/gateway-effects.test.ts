// What a changed document does to those who come through gateways of the Gateway API, and to those who come through our proxies.
import { expect, test } from 'vitest';
import type { GatewayApiSpec } from '../../../src/model/kubernetes.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { effectsOf } from '../../../src/operations/apply-effects.ts';
import { aRecord, aSpec, aVersion } from '../../support/records.ts';

type Mode = GatewayApiSpec['mode'] | 'None';

function record(mode: Mode): ServiceRecord {
  const parentRefs = [{ kind: 'Gateway', name: 'main' }] as const;
  const runtime = {
    kind: 'kubernetes',
    pods: { kind: 'template', template: {} },
    port: 8080,
    replicas: 2,
    maxUnavailable: 1,
    ...(mode === 'None' ? {} : { gatewayApi: { parentRefs, hostnames: [], mode } }),
  } as const;
  return aRecord({ spec: aSpec({ runtime }), versions: [aVersion('v1', { state: 'Primary' })] });
}

const WRITES = 'writes an HTTPRoute for gateways of the Gateway API';
const CUTS = 'cuts streams: proxies are told nothing of the service any more, only the gateways lead to it';
const TAKES = 'takes the HTTPRoute away: its gateways answer 404 from then on';

test.each<readonly [Mode, Mode, readonly string[]]>([
  ['None', 'Besides', [WRITES]],
  ['None', 'Instead', [WRITES, CUTS]],
  ['Besides', 'Instead', [CUTS]],
  ['Instead', 'Besides', []],
  ['Besides', 'None', [TAKES]],
  ['Besides', 'Besides', []],
])('from %s to %s', (before, after, effects) => {
  expect(effectsOf(record(before), record(after))).toEqual(effects);
});
