/** Counts what became of events that were to be posted to receivers outside. */
import { Counter, type Registry } from 'prom-client';

const RESULTS = ['delivered', 'failed', 'dropped'] as const;
export type DeliveryResult = (typeof RESULTS)[number];

export interface WebhookMetrics {
  /** Told of each event once: `failed` after all retries, `dropped` where too many waited. */
  readonly delivered: (result: DeliveryResult) => void;
}

/** Registers the metric. */
export function webhookMetrics(registry: Registry): WebhookMetrics {
  const deliveries = new Counter({
    name: 'switchyard_webhook_deliveries_total',
    help: 'Events that were to be posted to webhooks by result (delivered, failed, dropped).',
    labelNames: ['result'],
    registers: [registry],
  });
  for (const result of RESULTS) deliveries.inc({ result }, 0);
  return { delivered: (result) => deliveries.inc({ result }) };
}
