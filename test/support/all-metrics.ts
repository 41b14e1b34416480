/** Every metric of the controller, registered as main does: what pages, dashboards and rules are compared with. */
import { createMemoryStore } from '../../src/adapters/memory/store.ts';
import type { Publisher } from '../../src/ports/publisher.ts';
import { measuredOperations, measuredStore } from '../../src/telemetry/call-metrics.ts';
import { followConvergence } from '../../src/telemetry/convergence.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

/** What is known of a metric without any sample. */
export interface MetricFacts {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** In the order of their registration. */
  readonly labels: readonly string[];
}

const silentPublisher: Publisher = {
  publish: () => {},
  progress: () => ({ publication: 0, proxies: [] }),
  subscribe: () => () => {},
};

/** Metrics with everything registered, and nothing followed. */
export function allMetrics(): Metrics {
  const metrics = new Metrics({ version: '0.1.0' });
  const { registry, measurements } = metrics;
  measuredStore(createMemoryStore(), { registry, measured: measurements.measured });
  measuredOperations({ flip: async () => {} }, ['flip'], registry);
  followConvergence(silentPublisher, registry);
  return metrics;
}

/** Our own metrics, those of the process left out. */
export async function ourMetrics(metrics: Metrics): Promise<readonly MetricFacts[]> {
  const all = await metrics.registry.getMetricsAsJSON();
  return all
    .filter(({ name }) => name.startsWith('switchyard_'))
    .map(({ name, type, help }) => ({ name, type, help, labels: labelsOf(metrics, name) }));
}

function labelsOf(metrics: Metrics, name: string): readonly string[] {
  const metric: object | undefined = metrics.registry.getSingleMetric(name);
  if (metric === undefined || !('labelNames' in metric) || !Array.isArray(metric.labelNames)) {
    throw new Error(`the client shows no label names of ${name}`);
  }
  return metric.labelNames.map(String);
}
