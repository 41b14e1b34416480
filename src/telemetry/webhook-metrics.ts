/** Counts what became of events that were to be posted to receivers outside. */
import { Counter, type Registry } from 'prom-client';

/** `Retried` is an attempt that failed and is repeated; each event ends as exactly one of the others. */
const OUTCOMES = ['Delivered', 'Retried', 'Expired', 'Dropped', 'Abandoned'] as const;

export interface WebhookMetrics {
  /** To be told of each outcome by the notifier. */
  readonly outcome: (outcome: { readonly kind: (typeof OUTCOMES)[number] }) => void;
}

/** Registers the metric. */
export function webhookMetrics(registry: Registry): WebhookMetrics {
  const deliveries = new Counter({
    name: 'switchyard_webhook_deliveries_total',
    help: 'Events for webhooks by outcome (Delivered, Retried, Expired, Dropped, Abandoned).',
    labelNames: ['outcome'],
    registers: [registry],
  });
  for (const outcome of OUTCOMES) deliveries.inc({ outcome }, 0);
  return { outcome: ({ kind }) => deliveries.inc({ outcome: kind }) };
}
