/** What became of the requests that proxies report, which actual weights and reports are made of. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Filler } from './facts.ts';

/** Registers the metrics. */
export function accessLogMetrics(registry: Registry): Filler {
  const registers = [registry];
  const proxies = new Gauge({
    name: 'switchyard_access_log_proxies',
    help: 'Proxies that report their requests now.',
    registers,
  });
  const entries = new Counter({
    name: 'switchyard_access_log_entries_total',
    help: 'Entries of access logs that arrived, by result (counted, not_ours, lost).',
    labelNames: ['result'],
    registers,
  });
  return {
    begin({ accessLog }) {
      proxies.set(accessLog.proxies);
      // The receiver keeps the sums, which only rise.
      entries.reset();
      entries.inc({ result: 'counted' }, accessLog.counted);
      entries.inc({ result: 'not_ours' }, accessLog.notOurs);
      entries.inc({ result: 'lost' }, accessLog.lost);
    },
    service: () => {},
  };
}
