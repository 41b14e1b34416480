/** The ways to what stands outside: Prometheus, probes, webhooks, and whoever knows the open work of a version. */
import type { Logger } from 'pino';
import { systemClock } from './adapters/clock.ts';
import { createGrpcDelegateSource } from './adapters/delegate-sources/grpc.ts';
import { createPromqlDelegateSource } from './adapters/delegate-sources/promql.ts';
import { createDelegateSources } from './adapters/delegate-sources/sources.ts';
import { createGrpcWorkSource } from './adapters/grpc-work-source/work-source.ts';
import { createHttpWorkSource } from './adapters/http-work-source/work-source.ts';
import { createProber } from './adapters/prober/prober.ts';
import { createPrometheusSource } from './adapters/prometheus/metric-source.ts';
import { createPromqlWorkSource } from './adapters/promql-work-source/work-source.ts';
import { createNotifier } from './adapters/webhooks/notifier.ts';
import { readSecretFile } from './adapters/webhooks/secret.ts';
import { createWorkSources } from './adapters/work-sources.ts';
import { createWorkflowWorkSource } from './adapters/workflow-work-source/work-source.ts';
import type { ControllerFlags } from './cli/local-commands.ts';
import type { Ledger } from './controller/ledger.ts';
import type { DelegateSource } from './ports/delegate-source.ts';
import type { MetricSource } from './ports/metric-source.ts';
import type { Notifier } from './ports/notifier.ts';
import type { Prober } from './ports/prober.ts';
import type { WorkSource } from './ports/work-source.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** The ports towards the world outside. */
export interface Outside {
  readonly metricSource: MetricSource;
  readonly prober: Prober;
  readonly workSource: WorkSource;
  readonly delegateSource: DelegateSource;
  readonly notifier: Notifier;
}

/** Opens them. Throws SecretFileError where the file of the webhooks' secret cannot be used. */
export function openOutside({
  flags,
  log,
  metrics,
}: {
  readonly flags: ControllerFlags;
  readonly log: Logger;
  readonly metrics: Metrics;
}): Outside {
  const secret = flags.webhookSecretFile === undefined ? undefined : readSecretFile(flags.webhookSecretFile);
  const clock = systemClock;
  const metricSource = createPrometheusSource();
  return {
    metricSource,
    prober: createProber({ clock, secret, allowCommands: flags.allowCommands === true }),
    workSource: createWorkSources({
      http: createHttpWorkSource(),
      grpc: createGrpcWorkSource(),
      workflow: createWorkflowWorkSource(),
      promql: createPromqlWorkSource({ metricSource, clock }),
    }),
    delegateSource: createDelegateSources({
      grpc: createGrpcDelegateSource(),
      promql: createPromqlDelegateSource({ metricSource, clock }),
    }),
    notifier: createNotifier({
      clock,
      secret,
      random: Math.random,
      onOutcome: (outcome) => {
        metrics.webhooks.outcome(outcome);
        const { kind, receiver, event, reason } = outcome;
        if (kind === 'Delivered' || kind === 'Retried') return;
        log.warn({ webhook: receiver.name, sequence: event.sequence, reason }, 'an event was not delivered');
      },
    }),
  };
}

/** Tells each service's receivers of its events. Returns the way to stop that. */
export function notifyOf(ledger: Ledger, notifier: Notifier): () => void {
  return ledger.subscribe((events) => {
    for (const event of events) {
      const record = event.service === undefined ? undefined : ledger.records().get(event.service);
      for (const receiver of record?.spec.notifications ?? []) notifier.notify(receiver, event);
    }
  });
}
