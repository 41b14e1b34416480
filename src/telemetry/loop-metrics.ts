/**
 * Health of the loop. A round of each service is made at least once a second, so a last round that is old means that
 * the loop, or the round of that service, is stuck.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ServiceName } from '../model/names.ts';
import { keepSeries, type ServiceSeries } from './service-series.ts';

const RESULTS = ['changed', 'unchanged', 'failed'] as const;
type RoundResult = (typeof RESULTS)[number];

export interface LoopMetrics extends ServiceSeries {
  /** To be given to the controller: told when a round begins, and by what it returns how the round ended. */
  readonly observeRounds: (service: ServiceName) => (result: RoundResult) => void;
}

/** Registers the metrics. */
export function loopMetrics(registry: Registry): LoopMetrics {
  const registers = [registry];
  const rounds = new Counter({
    name: 'switchyard_loop_rounds_total',
    help: 'Rounds of the loop by result (changed, unchanged, failed).',
    labelNames: ['result'],
    registers,
  });
  const seconds = new Histogram({
    name: 'switchyard_loop_round_seconds',
    help: 'Time that a round took, failed ones included.',
    buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
    registers,
  });
  const last = new Gauge({
    name: 'switchyard_loop_last_round_timestamp_seconds',
    help: 'When the last round of a service ended, failed or not, in Unix time.',
    labelNames: ['service'],
    registers,
  });
  for (const result of RESULTS) rounds.inc({ result }, 0);
  return {
    observeRounds(service) {
      const end = seconds.startTimer();
      return (result) => {
        end();
        rounds.inc({ result });
        last.setToCurrentTime({ service });
      };
    },
    // A service without any round counts from when it was first seen.
    keep: keepSeries({
      begin: (service) => last.setToCurrentTime({ service }),
      end: (service) => last.remove({ service }),
    }),
  };
}
