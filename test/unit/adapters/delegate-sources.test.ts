/** The spec's source decides who is asked for delegates; a service without them has nobody to ask. */
import { expect, test } from 'vitest';
import { createDelegateSources } from '../../../src/adapters/delegate-sources/sources.ts';
import type { DelegateSourceSpec } from '../../../src/model/delegates.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { ScriptedDelegates } from '../../support/scripted-delegates.ts';

const prometheus = { url: 'http://127.0.0.1:9090', scrapeInterval: 5_000, timeout: 1_000 };
const requestFor = (source: DelegateSourceSpec) => ({
  source,
  service: serviceName('manager'),
  versions: [versionName('v1')],
  since: instant(0),
  instances: [],
  signal: AbortSignal.timeout(1_000),
});

test('each kind of source is asked for its own kind; without one nothing is known', async () => {
  const each = { grpc: new ScriptedDelegates(), promql: new ScriptedDelegates() };
  each.grpc.problem = 'grpc was asked';
  each.promql.problem = 'promql was asked';
  const all = createDelegateSources(each);
  const promql = { kind: 'promql', query: 'delegates', prometheus, tenantLabel: 'tenant' } as const;
  expect(await all.delegates(requestFor({ kind: 'grpc' }))).toMatchObject({ reason: 'grpc was asked' });
  expect(await all.delegates(requestFor(promql))).toMatchObject({ reason: 'promql was asked' });
  expect(await all.delegates(requestFor({ kind: 'none' }))).toMatchObject({
    kind: 'unknown',
    reason: expect.stringContaining('names no source of delegates'),
  });
});
