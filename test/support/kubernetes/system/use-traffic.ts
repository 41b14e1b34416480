/** A service in its first version behind two Envoys with constant traffic, and a Prometheus that verifies rollouts. */
import { onTestFinished } from 'vitest';
import { startPrometheus } from '../../prometheus.ts';
import type { Entrance, Installation } from './installation.ts';
import { SCRAPE_INTERVAL_MS } from './manager-object.ts';
import { WatchedTraffic, type WatchedTrafficOptions } from './watched-traffic.ts';

export interface Served {
  readonly entrances: readonly [Entrance, Entrance];
  readonly traffic: WatchedTraffic;
  /** `http://127.0.0.1:PORT` of the Prometheus, which scrapes both Envoys. */
  readonly prometheus: string;
}

const REQUESTS_PER_SECOND = 40;

/** Rolls v1 out and begins the traffic. */
export async function useTraffic(
  installation: Installation,
  options: Pick<WatchedTrafficOptions, 'pins' | 'streamPins'> & { readonly replicas?: number },
): Promise<Served> {
  const { replicas } = options;
  await installation.wish({ version: 'v1', ...(replicas === undefined ? {} : { replicas }) });
  await installation.condition('Ready', 'True');
  const entrances = await installation.startGateways();
  const targets = entrances.map(({ envoy }) => new URL(envoy.admin).host);
  const prometheus = await startPrometheus({
    jobs: [{ job: 'envoy', targets, path: '/stats/prometheus' }],
    scrapeInterval: SCRAPE_INTERVAL_MS,
  });
  onTestFinished(() => prometheus.stop());
  const traffic = await WatchedTraffic.start({
    ...options,
    entrances,
    requestsPerSecond: REQUESTS_PER_SECOND,
    first: { from: 'v1', to: 'v1', weight: 100, active: ['v1'] },
  });
  return { entrances, traffic, prometheus: prometheus.url };
}
