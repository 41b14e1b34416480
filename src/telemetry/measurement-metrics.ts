/** Counts what the measurements of checks said. Which checks, and their values, are gauges of the rollout. */
import { Counter, type Registry } from 'prom-client';
import type { Judgement, Measurement } from '../model/measurement.ts';
import { keepSeries, type ServiceSeries } from './service-series.ts';

const STATES = Object.keys({
  Passed: true,
  Failed: true,
  Error: true,
  Inconclusive: true,
  NoData: true,
} satisfies Record<Judgement['state'], true>) as Judgement['state'][];

export interface MeasurementMetrics extends ServiceSeries {
  /** Told of measurements that were stored. */
  readonly measured: (measurements: readonly Measurement[]) => void;
}

/** Registers the metric. */
export function measurementMetrics(registry: Registry): MeasurementMetrics {
  const measurements = new Counter({
    name: 'switchyard_measurements_total',
    help: 'Measurements of checks by what they said (Passed, Failed, Error, Inconclusive, NoData).',
    labelNames: ['service', 'state'],
    registers: [registry],
  });
  return {
    measured(stored) {
      for (const { service, judgement } of stored) measurements.inc({ service, state: judgement.state });
    },
    keep: keepSeries({
      begin: (service) => STATES.forEach((state) => measurements.inc({ service, state }, 0)),
      end: (service) => STATES.forEach((state) => measurements.remove({ service, state })),
    }),
  };
}
