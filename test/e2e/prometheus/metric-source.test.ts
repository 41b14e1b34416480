/** The adapter against a real Prometheus; its faults are in measure-faults.test.ts. */
import { createPrometheusSource } from '../../../src/adapters/prometheus/metric-source.ts';
import { instant } from '../../../src/model/instant.ts';
import { metricSourceContract } from '../../contract/metric-source.ts';
import { eventually } from '../../support/eventually.ts';
import { startExporter } from '../../support/exporter.ts';
import { freePort } from '../../support/free-port.ts';
import { startPrometheus } from '../../support/prometheus.ts';

const SCRAPE = 200;

for (const longestRange of [3_600_000, 777]) {
  metricSourceContract(`Prometheus, asked for ${longestRange} ms at a time`, async () => {
    const exporter = await startExporter();
    exporter.set('contract_total{kind="stays"}', 7);
    exporter.set('contract_total{kind="none"}', 'NaN');
    let scrapes = 0;
    exporter.onScrape(() => exporter.set('contract_total{kind="grows"}', (scrapes += 1)));
    const prometheus = await startPrometheus({
      jobs: [{ job: 'contract', targets: [exporter.address] }],
      scrapeInterval: SCRAPE,
    });
    await prometheus.scraped(6);
    const at = instant(Date.now());
    // A scrape is stored a little after its time.
    await eventually(() => Date.now() > at + 2 * SCRAPE);
    const server = { url: prometheus.url, scrapeInterval: SCRAPE, timeout: 5_000 };
    const source = createPrometheusSource({ longestRange });
    return {
      source,
      server,
      at,
      unreachable: { source, server: { ...server, url: `http://127.0.0.1:${await freePort()}` } },
      async close() {
        await prometheus.stop();
        await exporter.close();
      },
    };
  });
}
