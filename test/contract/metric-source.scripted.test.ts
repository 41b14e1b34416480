import { instant } from '../../src/model/instant.ts';
import { ScriptedMetrics } from '../support/scripted-metrics.ts';
import { metricSourceContract } from './metric-source.ts';

metricSourceContract('the scripted metrics of the tests', async () => {
  const source = new ScriptedMetrics();
  const silent = new ScriptedMetrics();
  silent.problem = 'connection refused';
  const server = { url: 'http://127.0.0.1:9090', scrapeInterval: 1_000, timeout: 1_000 };
  const from = 1_000_000;
  const scrapes = Array.from({ length: 6 }, (_, index) => index);
  source.addAll('contract_total{kind="grows"}', from, 1_000, scrapes);
  source.addAll(
    'contract_total{kind="stays"}',
    from,
    1_000,
    scrapes.map(() => 7),
  );
  source.addAll(
    'contract_total{kind="none"}',
    from,
    1_000,
    scrapes.map(() => Number.NaN),
  );
  return {
    source,
    server,
    at: instant(from + 6_000),
    unreachable: { source: silent, server },
    close: async () => undefined,
  };
});
