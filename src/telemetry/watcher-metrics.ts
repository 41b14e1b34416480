/** What the watcher server does, counted as it happens. Who the watchers are is read at each scrape (delegate-metrics.ts). */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Structurally what the watcher server tells. */
export interface WatcherEvents {
  received(event: {
    readonly way: 'follow' | 'poll';
    readonly reception: 'Admitted' | 'Later' | 'Refused';
  }): void;
  /** Milliseconds since it was known that there is something to tell. */
  told(event: { readonly waited: number }): void;
  /** Shows how many streams are open at each scrape. */
  follow(streams: () => number): void;
}

const BUCKETS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30];

/** Registers them. */
export function watcherMetrics(registry: Registry): WatcherEvents {
  const admissions = new Counter({
    name: 'switchyard_watcher_admissions_total',
    help: 'Watchers that came, by way and by whether they were let in, asked to come later, or refused.',
    labelNames: ['way', 'reception'],
    registers: [registry],
  });
  for (const way of ['follow', 'poll']) {
    for (const reception of ['Admitted', 'Later', 'Refused']) admissions.inc({ way, reception }, 0);
  }
  const told = new Histogram({
    name: 'switchyard_watcher_told_seconds',
    help: 'Time from when it was known that a watcher has something to be told until it was sent.',
    buckets: BUCKETS,
    registers: [registry],
  });
  let streams = (): number => 0;
  const open: Gauge = new Gauge({
    name: 'switchyard_watcher_streams',
    help: 'Streams of watchers that are open.',
    registers: [registry],
    collect: () => open.set(streams()),
  });
  return {
    received: (event) => admissions.inc(event),
    told: ({ waited }) => told.observe(waited / 1000),
    follow: (count) => {
      streams = count;
    },
  };
}
