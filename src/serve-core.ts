/**
 * The controller over a store, runtimes and a publisher, opened and measured, but not yet started, with its operations.
 * Whoever calls this binds the addresses next and then starts it.
 */
import type { Logger } from 'pino';
import { AccessLogReceiver } from './adapters/access-log/receiver.ts';
import { systemClock } from './adapters/clock.ts';
import type { ControllerFlags } from './cli/local-commands.ts';
import { Controller } from './controller/controller.ts';
import type { RuntimeSet } from './controller/runtimes.ts';
import type { ServiceName } from './model/names.ts';
import { createOperations } from './operations/operations.ts';
import type { RolloutView } from './operations/rollout-types.ts';
import type { Operations, ProxyView, ServiceView } from './operations/types.ts';
import type { GatewayRoutes } from './ports/gateway-routes.ts';
import type { PrimaryServices } from './ports/primary-service.ts';
import type { Publisher } from './ports/publisher.ts';
import type { Store } from './ports/store.ts';
import { notifyOf, openOutside } from './serve-outside.ts';
import { measuredOperations, measuredStore } from './telemetry/call-metrics.ts';
import { followConvergence } from './telemetry/convergence.ts';
import { eventLog } from './telemetry/event-log.ts';
import type { Facts, RolloutFacts, ServiceFacts } from './telemetry/facts.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** What it stands on, and by what it is told. */
export interface CoreOptions {
  readonly store: Store;
  readonly runtimes: RuntimeSet;
  readonly publisher: Publisher;
  readonly primaryServices?: PrimaryServices;
  readonly gatewayRoutes?: GatewayRoutes;
  readonly flags: ControllerFlags;
  /** Other replicas show what is committed here. */
  readonly isReplicated?: boolean;
  /** As in ControllerOptions. */
  readonly isWishedElsewhere?: (service: ServiceName) => boolean;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Closes what was opened, also where a later part could not be. */
  readonly closing: AsyncDisposableStack;
}

export interface Core {
  readonly controller: Controller;
  readonly operations: Operations;
  /** Takes what the proxies report of requests. */
  readonly accessLog: AccessLogReceiver;
  /** What a scrape shows beside whether the controller is ready. */
  facts(): Omit<Facts, 'ready'>;
}

const MEASURED_OPERATIONS = [
  'apply',
  'deleteService',
  'flip',
  'setWeight',
  'rollback',
  'drain',
  'retire',
  'hold',
  'release',
  'deploy',
  'pause',
  'resume',
  'promote',
  'abort',
  'retry',
  'freeze',
  'unfreeze',
  'publishArtifact',
  'haltWaves',
  'resumeWaves',
  'skipWave',
  'reassert',
  'retryOnBoxes',
  'decommission',
  'backup',
  'down',
] as const satisfies readonly (keyof Operations)[];

/** Opens it. Rejects with the adapters' own errors where one refuses. */
export async function openCore(options: CoreOptions): Promise<Core> {
  const { runtimes, publisher, flags, log, metrics, closing } = options;
  const store = measuredStore(options.store, {
    registry: metrics.registry,
    measured: metrics.measurements.measured,
  });
  closing.defer(followConvergence(publisher, metrics.registry));
  const { notifier, ...outside } = openOutside({ flags, log, metrics });
  closing.defer(() => notifier.close());
  const controller = await Controller.open({
    ...outside,
    store,
    runtimes,
    publisher,
    ...(options.primaryServices === undefined ? {} : { primaryServices: options.primaryServices }),
    ...(options.gatewayRoutes === undefined ? {} : { gatewayRoutes: options.gatewayRoutes }),
    clock: systemClock,
    log,
    proxyGrace: flags.proxyGrace,
    acceptEmpty: flags.acceptEmpty === true,
    isReplicated: options.isReplicated === true,
    allowCommands: flags.allowCommands === true,
    ...(options.isWishedElsewhere && { isWishedElsewhere: options.isWishedElsewhere }),
    observeRounds: metrics.loop.observeRounds,
  });
  closing.defer(controller.ledger.subscribe(eventLog(log)));
  closing.defer(notifyOf(controller.ledger, notifier));
  closing.defer(metrics.rollouts.follow(controller.ledger));
  const accessLog = await AccessLogReceiver.open({
    store,
    clock: systemClock,
    services: [...controller.ledger.records().keys()],
    isKnown: (service) => controller.ledger.records().has(service),
    onFault: ({ what, error }) => log.warn({ err: error }, what),
  });
  closing.defer(() => accessLog.close());
  const operations = measuredOperations(
    createOperations(controller, accessLog),
    MEASURED_OPERATIONS,
    metrics.registry,
  );
  const facts = (): Omit<Facts, 'ready'> => ({
    publication: controller.publications.number,
    services: operations.services().map((service) => serviceFacts(operations, service)),
    proxies: operations.proxies().map((proxy) => ({ ...proxy, rejecting: isRejecting(proxy) })),
    accessLog: { proxies: accessLog.reporters().length, ...accessLog.totals() },
  });
  return { controller, operations, accessLog, facts };
}

function serviceFacts(operations: Operations, service: ServiceView): ServiceFacts {
  const { name, rollout } = service.record;
  const delegates = operations.delegateNumbers(name);
  return {
    ...service,
    ...(rollout !== undefined && { rollout: rolloutFacts(operations.rollout(name)) }),
    ...(delegates !== undefined && { delegates }),
  };
}

/** Delegates that nobody has counted are no 0 of 0. */
function rolloutFacts({ delegates, ...view }: RolloutView): RolloutFacts {
  const isKnown = delegates !== undefined && delegates.parity?.verdict.kind !== 'Unknown';
  return { ...view, ...(isKnown && { delegates }) };
}

/** Whether a proxy rejected something, on this connection or an earlier one, and has not taken it since. */
function isRejecting({ pastRejections, progress }: ProxyView): boolean {
  return (
    pastRejections.length > 0 || progress?.types.some(({ rejection }) => rejection !== undefined) === true
  );
}
