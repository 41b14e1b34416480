/** Ports that know nothing: for controllers whose tests are about something else. */
import type { DelegateSource } from '../../src/ports/delegate-source.ts';
import type { MetricSource } from '../../src/ports/metric-source.ts';
import type { Prober } from '../../src/ports/prober.ts';
import type { TrafficLog } from '../../src/ports/traffic-log.ts';

const reason = 'this test has no Prometheus and nobody to ask';

export const silentMetrics: MetricSource = {
  query: async () => ({ kind: 'error', reason }),
  samples: async () => ({ kind: 'error', reason }),
  version: () => Promise.reject(new Error(reason)),
};

export const silentProber: Prober = {
  probe: async () => ({ kind: 'error', reason }),
  confirm: async () => ({ kind: 'error', reason }),
};

export const silentDelegates: DelegateSource = {
  delegates: async () => ({ kind: 'unknown', reason }),
};

export const silentTraffic: TrafficLog = {
  counts: async () => [],
  recent: () => [],
  coverage: async () => [],
  reporters: () => [],
};
