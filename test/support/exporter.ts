/** A target for a Prometheus of a test: it exposes the samples that the test sets, until the test takes them away. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Exporter {
  /** `host:port`, the label `instance` of its series. */
  readonly address: string;
  /** Sets one sample, by its name with labels as exposed: `requests_total{version="v1"}`; with its own time where `at` is given. */
  set(series: string, value: number | 'NaN', at?: number): void;
  /** Adds to a sample, which begins at 0. */
  add(series: string, by: number): void;
  /** Takes away the samples whose name begins so; all where nothing is named. */
  forget(prefix?: string): void;
  /** Called before each scrape is answered. */
  onScrape(call: () => void): void;
  /** False: scrapes get status 500 from now on. */
  answering(does: boolean): void;
  close(): Promise<void>;
}

export async function startExporter(): Promise<Exporter> {
  const samples = new Map<string, { readonly value: number | 'NaN'; readonly at?: number | undefined }>();
  let isAnswering = true;
  let beforeScrape = (): void => undefined;
  const server = createServer((_request, response) => {
    beforeScrape();
    response.statusCode = isAnswering ? 200 : 500;
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end([...samples].map(([series, { value, at = '' }]) => `${series} ${value} ${at}\n`).join(''));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    set: (series, value, at) => {
      samples.set(series, { value, at });
    },
    add: (series, by) => {
      samples.set(series, { value: Number(samples.get(series)?.value ?? 0) + by });
    },
    forget: (prefix = '') => {
      for (const series of samples.keys()) if (series.startsWith(prefix)) samples.delete(series);
    },
    onScrape: (call) => {
      beforeScrape = call;
    },
    answering: (does) => {
      isAnswering = does;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
