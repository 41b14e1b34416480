/** docs/metrics.md lists every metric that exists, and none that does not. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import type { Publisher } from '../../../src/ports/publisher.ts';
import { measuredOperations, measuredStore } from '../../../src/telemetry/call-metrics.ts';
import { followConvergence } from '../../../src/telemetry/convergence.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';

const silentPublisher: Publisher = {
  publish: () => {},
  progress: () => ({ publication: 0, proxies: [] }),
  subscribe: () => () => {},
};

test('the page and the registry name the same metrics', async () => {
  const metrics = new Metrics({ version: '0.1.0' });
  measuredStore(createMemoryStore(), metrics.registry);
  measuredOperations({ flip: async () => {} }, ['flip'], metrics.registry);
  followConvergence(silentPublisher, metrics.registry);
  const registered = (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
  const page = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8');
  const tables = page.split('\n').filter((line) => line.startsWith('| `'));
  const listed = tables.flatMap((line) => (line.split('|')[1] ?? '').match(/switchyard_[a-z_]+/g) ?? []);
  expect(listed.toSorted()).toEqual(registered.filter((name) => name.startsWith('switchyard_')).toSorted());
});
