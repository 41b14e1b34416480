/**
 * The controller with its adapters, opened and measured, but not yet started: store, runtimes, publisher, operations.
 * Whoever calls this binds the addresses next and then starts it.
 */
import type { Logger } from 'pino';
import { AccessLogReceiver } from './adapters/access-log/receiver.ts';
import { systemClock } from './adapters/clock.ts';
import { EndpointsRuntime } from './adapters/endpoints/runtime.ts';
import { createMemoryStore } from './adapters/memory/store.ts';
import { ProcessesRuntime } from './adapters/processes/runtime.ts';
import { openSqliteStore } from './adapters/sqlite/store.ts';
import type { ControllerFlags } from './cli/local-commands.ts';
import { Controller } from './controller/controller.ts';
import type { RuntimeSet } from './controller/runtimes.ts';
import { endpointsFolder, processesFolder, stateFile } from './data-folder.ts';
import { createOperations } from './operations/operations.ts';
import type { RolloutView } from './operations/rollout-types.ts';
import type { Operations, ProxyView, ServiceView } from './operations/types.ts';
import type { Clock } from './ports/clock.ts';
import { notifyOf, openOutside } from './serve-outside.ts';
import { parseEndpointsFile } from './spec/parse.ts';
import { measuredOperations, measuredStore } from './telemetry/call-metrics.ts';
import { followConvergence } from './telemetry/convergence.ts';
import { eventLog } from './telemetry/event-log.ts';
import type { Facts, RolloutFacts, ServiceFacts } from './telemetry/facts.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { xdsLog } from './telemetry/xds-log.ts';
import { bothObservers } from './xds/observer.ts';
import { createPublisher, type XdsPublisher } from './xds/publisher.ts';
import { createTranslator } from './xds/translate/index.ts';

/** What is opened, and by what it is told. */
export interface CoreOptions {
  readonly dataDir: string;
  readonly flags: ControllerFlags;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Closes what was opened, also where a later part could not be. */
  readonly closing: AsyncDisposableStack;
}

export interface Core {
  readonly controller: Controller;
  readonly publisher: XdsPublisher;
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

/** Opens everything. Rejects with the adapters' own errors where one refuses. */
export async function openCore({ dataDir, flags, log, metrics, closing }: CoreOptions): Promise<Core> {
  const file = stateFile(dataDir);
  const opened = flags.store === 'file' ? await openSqliteStore({ file }) : createMemoryStore();
  const store = measuredStore(opened, {
    registry: metrics.registry,
    measured: metrics.measurements.measured,
  });
  closing.defer(() => store.close());
  const { everWritten } = await store.load();
  const publisher = createPublisher({
    translate: createTranslator(),
    now: () => systemClock.now(),
    observer: bothObservers(metrics.xds, xdsLog(log)),
    emptyStore: !everWritten && flags.acceptEmpty !== true,
  });
  closing.defer(followConvergence(publisher, metrics.registry));
  const { notifier, ...outside } = openOutside({ flags, log, metrics });
  closing.defer(() => notifier.close());
  const controller = await Controller.open({
    ...outside,
    store,
    runtimes: await openRuntimes({ dataDir, clock: systemClock, closing }),
    publisher,
    clock: systemClock,
    log,
    proxyGrace: flags.proxyGrace,
    acceptEmpty: flags.acceptEmpty === true,
    allowCommands: flags.allowCommands === true,
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
  return { controller, publisher, operations, accessLog, facts };
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

/** Addresses are routed everywhere; processes are run on Linux only, elsewhere a spec that asks for them is refused. */
async function openRuntimes(parts: {
  dataDir: string;
  clock: Clock;
  closing: AsyncDisposableStack;
}): Promise<RuntimeSet> {
  const { dataDir, clock, closing } = parts;
  const endpoints = new EndpointsRuntime({
    clock,
    parseFile: parseEndpointsFile,
    stateFolder: endpointsFolder(dataDir),
  });
  closing.defer(() => endpoints.close());
  if (process.platform !== 'linux') return { endpoints };
  const processes = await ProcessesRuntime.open({ clock, stateFolder: processesFolder(dataDir) });
  closing.defer(() => processes.close());
  return { endpoints, processes };
}
