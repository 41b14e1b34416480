/** What the watcher server tells, for the metrics and the log: a stream that was refused is told, one that came back is not. */
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';
import type { WatcherEvents } from './watcher-metrics.ts';

/** Structurally what the watcher server wants as its observer. */
interface Observers extends Pick<WatcherEvents, 'received' | 'told'> {
  ended(event: { readonly address: string; readonly reason: string }): void;
  fault(error: unknown): void;
}

export function watcherObservers(metrics: Metrics, log: Logger): Observers {
  const { watchers } = metrics;
  return {
    received: (event) => watchers.received(event),
    told: (event) => watchers.told(event),
    ended: ({ address, reason }) => log.info({ address, reason }, 'the stream of a watcher was ended'),
    fault: (error) => log.error({ err: error }, 'serving a watcher failed'),
  };
}
