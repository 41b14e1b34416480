/**
 * What a controller of one machine stands on: its store in a file, addresses and processes, and the publisher to its
 * proxies.
 */
import type { Logger } from 'pino';
import { systemClock } from './adapters/clock.ts';
import { EndpointsRuntime } from './adapters/endpoints/runtime.ts';
import { createMemoryStore } from './adapters/memory/store.ts';
import { ProcessesRuntime } from './adapters/processes/runtime.ts';
import { openSqliteStore } from './adapters/sqlite/store.ts';
import type { ControllerFlags } from './cli/local-commands.ts';
import type { RuntimeSet } from './controller/runtimes.ts';
import { endpointsFolder, processesFolder, stateFile } from './data-folder.ts';
import type { Store } from './ports/store.ts';
import { parseEndpointsFile } from './spec/parse.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { xdsLog } from './telemetry/xds-log.ts';
import { bothObservers } from './xds/observer.ts';
import { createPublisher, type XdsPublisher } from './xds/publisher.ts';
import { createTranslator } from './xds/translate/index.ts';

export interface Machine {
  readonly store: Store;
  readonly runtimes: RuntimeSet;
  readonly publisher: XdsPublisher;
}

/** Opens them. Rejects with the adapters' own errors where one refuses. */
export async function openMachine(options: {
  readonly dataDir: string;
  readonly flags: ControllerFlags;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Closes what was opened, also where a later part could not be. */
  readonly closing: AsyncDisposableStack;
}): Promise<Machine> {
  const { dataDir, flags, log, metrics, closing } = options;
  const file = stateFile(dataDir);
  const store = flags.store === 'file' ? await openSqliteStore({ file }) : createMemoryStore();
  closing.defer(() => store.close());
  const { everWritten } = await store.load();
  const publisher = createPublisher({
    translate: createTranslator(),
    now: () => systemClock.now(),
    observer: bothObservers(metrics.xds, xdsLog(log)),
    emptyStore: !everWritten && flags.acceptEmpty !== true,
  });
  return { store, runtimes: await openRuntimes(dataDir, closing), publisher };
}

/** Addresses are routed everywhere; processes are run on Linux only, elsewhere a spec that asks for them is refused. */
async function openRuntimes(dataDir: string, closing: AsyncDisposableStack): Promise<RuntimeSet> {
  const clock = systemClock;
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
