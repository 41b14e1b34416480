/** What the leader tells as Events of Kubernetes: wires the audit trail, the objects and the recorder. */
import type { Logger } from 'pino';
import { systemClock } from './adapters/clock.ts';
import { EventRecorder } from './adapters/kubernetes/events/recorder.ts';
import type { Cluster } from './cluster.ts';
import type { Controller } from './controller/controller.ts';
import type { ServiceObjectCache } from './custom-resources/cache.ts';
import { ObjectEvents } from './custom-resources/events.ts';
import type { RolloutObjects } from './custom-resources/rollouts.ts';
import type { Operations } from './operations/types.ts';

/** Begins; the function that it returns ends it. */
export function tellEvents(options: {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly controller: Controller;
  readonly operations: Operations;
  readonly services: ServiceObjectCache;
  readonly rollouts: RolloutObjects;
}): () => Promise<void> {
  const { cluster, log, controller, operations, services, rollouts } = options;
  const { api, namespace, name: instance } = cluster;
  const recorder = new EventRecorder({
    api,
    namespace,
    instance,
    clock: systemClock,
    onTrouble: (sentence) => log.warn(sentence),
  });
  const events = new ObjectEvents({
    recorder,
    namespace,
    followEvents: (listener) => controller.ledger.subscribe(listener),
    operations,
    records: () => controller.ledger.records(),
    services,
    rollouts,
    clock: systemClock,
  });
  events.start();
  return async () => {
    events.stop();
    await recorder.stop();
  };
}
