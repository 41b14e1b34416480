/**
 * How long publications take to be served everywhere: from the moment that one is seen until every connected proxy
 * has acknowledged its routes. A publication that is replaced before that is not counted, nor one without proxies.
 */
import { Histogram, type Registry } from 'prom-client';
import type { Publisher, PublishProgress } from '../ports/publisher.ts';

/** Watches the publisher. Returns the way to stop. */
export function followConvergence(publisher: Publisher, registry: Registry): () => void {
  const seconds = new Histogram({
    name: 'switchyard_publication_convergence_seconds',
    help: 'Time from a publication until every connected proxy acknowledged its routes.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300],
    registers: [registry],
  });
  let seen = publisher.progress().publication;
  let end: (() => number) | undefined;
  const look = (): void => {
    const progress = publisher.progress();
    if (progress.publication > seen) {
      seen = progress.publication;
      end = seconds.startTimer();
    }
    if (end !== undefined && isEverywhere(progress)) {
      end();
      end = undefined;
    }
  };
  return publisher.subscribe(look);
}

function isEverywhere({ publication, proxies }: PublishProgress): boolean {
  return proxies.length > 0 && proxies.every((proxy) => proxy.routesPublication >= publication);
}
