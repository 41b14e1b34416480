/**
 * Runs the controller: opens the adapters, binds all addresses, loads the state, serves until a signal or `down`, and
 * stops in order. Places are bound before anything is started, so a taken port is told before an instance runs.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { pino } from 'pino';
import { systemClock } from './adapters/clock.ts';
import { EndpointsRuntime } from './adapters/endpoints/runtime.ts';
import { createHttpWorkSource } from './adapters/http-work-source/work-source.ts';
import { createMemoryStore } from './adapters/memory/store.ts';
import { FolderInUseError } from './adapters/processes/folder-lock.ts';
import { ProcessesRuntime } from './adapters/processes/runtime.ts';
import { StoreRefusedError } from './adapters/sqlite/errors.ts';
import { openSqliteStore } from './adapters/sqlite/store.ts';
import { isLoopback, ListenError } from './admin/listen.ts';
import { type ControllerInfo, startAdminServer } from './admin/server.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { AddressFlag, ControllerFlags } from './cli/local-commands.ts';
import { defaultDataDir, defaultSocket } from './cli/paths.ts';
import { type Context, print } from './cli/shell.ts';
import { Controller } from './controller/controller.ts';
import { endpointsFolder, processesFolder, stateFile } from './data-folder.ts';
import { createOperations } from './operations/operations.ts';
import type { Runtime } from './ports/runtime.ts';
import { parseEndpointsFile } from './spec/parse.ts';
import { exportEnvoy } from './xds/export.ts';
import { createPublisher } from './xds/publisher.ts';
import { startXdsServer } from './xds/server.ts';
import { translate } from './xds/translate/index.ts';

/** What `switchyard controller` was told. */
export interface Service {
  readonly context: Context;
  readonly flags: ControllerFlags;
  readonly version: string;
}

/** Serves until it is told to stop; instances go on running. Throws CliError where it cannot begin. */
export async function serve({ context, flags, version }: Service): Promise<ExitCode> {
  const stop = untilStopped();
  const dataDir = resolve(flags.dataDir ?? defaultDataDir(context.shell.env));
  const log = pino({ level: flags.logLevel }, pino.destination({ fd: 2, sync: true }));
  try {
    await using closing = new AsyncDisposableStack();
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const store =
      flags.store === 'file' ? await openSqliteStore({ file: stateFile(dataDir) }) : createMemoryStore();
    closing.defer(() => store.close());
    const stored = await store.load();
    const runtimes = await openRuntimes(dataDir, closing);
    const publisher = createPublisher({
      translate,
      now: () => systemClock.now(),
      emptyStore: !stored.everWritten && flags.acceptEmpty !== true,
    });
    const xds = await bind(flags.xdsAddress, '--xds-address', (place) =>
      startXdsServer({ publisher, ...place }),
    );
    closing.defer(() => xds.close());
    const controller = await Controller.open({
      store,
      runtimes,
      publisher,
      clock: systemClock,
      workSource: createHttpWorkSource(),
      log,
      proxyGrace: flags.proxyGrace,
      acceptEmpty: flags.acceptEmpty === true,
      allowCommands: flags.allowCommands === true,
    });
    closing.defer(() => controller.stop());

    const started = systemClock.now();
    let state: ControllerInfo['state'] = 'Loading';
    const ready = Promise.withResolvers<void>();
    const endpoints = [{ name: 'xds', address: addressText(xds) }];
    const info = (): ControllerInfo => ({
      version,
      started,
      store: flags.store === 'file' ? `file ${stateFile(dataDir)}` : 'memory',
      publication: controller.publications.number,
      endpoints,
      ...stateNow(state, controller),
    });
    const admin = await startAdminServer({
      operations: createOperations(controller),
      socket: resolve(flags.adminSocket ?? defaultSocket(dataDir)),
      ...(flags.adminAddress !== undefined && { address: flags.adminAddress }),
      ready: ready.promise,
      info,
      exportEnvoy: (table, settings) => JSON.stringify(exportEnvoy(table, settings)),
      onDown: () => stop.now(),
      onFault: ({ method, error }) => log.error({ method, err: error }, 'an admin call failed'),
    });
    closing.defer(() => admin.close());
    endpoints.push(...admin.addresses.map((address) => ({ name: 'admin', address })));
    if (flags.adminAddress !== undefined && !isLoopback(flags.adminAddress)) {
      log.warn(
        { address: flags.adminAddress },
        'the admin API has no login: whoever reaches this address may do everything',
      );
    }

    await controller.start();
    state = 'Ready';
    ready.resolve();
    admin.setServing(true);
    announce(context, {
      info: info(),
      isDefault: admin.addresses[0] === `unix:${defaultSocket(defaultDataDir(context.shell.env))}`,
    });
    log.info({ endpoints, store: info().store }, 'serving');
    await stop.promise;
    state = 'Stopping';
    log.info('stopping; instances go on running');
    return EXIT.ok;
  } catch (error) {
    throw isKnown(error) ? new CliError(EXIT.failed, error.message) : error;
  }
}

async function openRuntimes(
  dataDir: string,
  closing: AsyncDisposableStack,
): Promise<{ endpoints: Runtime; processes?: Runtime }> {
  const endpoints = new EndpointsRuntime({
    clock: systemClock,
    parseFile: parseEndpointsFile,
    stateFolder: endpointsFolder(dataDir),
  });
  closing.defer(() => endpoints.close());
  if (process.platform !== 'linux') return { endpoints };
  const processes = await ProcessesRuntime.open({
    clock: systemClock,
    stateFolder: processesFolder(dataDir),
  });
  closing.defer(() => processes.close());
  return { endpoints, processes };
}

/** Binds one address; a taken one is told with the flag that chooses another. */
async function bind<Bound>(
  place: AddressFlag,
  flag: string,
  start: (place: AddressFlag) => Promise<Bound>,
): Promise<Bound> {
  try {
    return await start(place);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${message})`;
    throw new CliError(EXIT.failed, `${addressText(place)} ${why}; give another with ${flag}`);
  }
}

function stateNow(
  state: ControllerInfo['state'],
  controller: Controller,
): Pick<ControllerInfo, 'state' | 'reason'> {
  if (state !== 'Ready' || controller.publications.isOpen) return { state, reason: '' };
  const reason =
    'nothing was ever applied, so proxies get no answer until `apply` or a start with --accept-empty';
  return { state: 'AwaitingApply', reason };
}

/** Says on standard output what listens where, and what to try next. */
function announce(context: Context, { info, isDefault }: { info: ControllerInfo; isDefault: boolean }): void {
  const socket = info.endpoints.find(({ name }) => name === 'admin')?.address ?? '';
  const command = isDefault ? 'switchyard' : `switchyard --server ${socket}`;
  const next = info.state === 'AwaitingApply' ? `${command} apply -f FILE` : `${command} get services`;
  print(context, `Switchyard ${info.version} is ready, publication ${info.publication}`);
  for (const { name, address } of info.endpoints) print(context, `  ${name.padEnd(6)} ${address}`);
  print(context, `  state  ${info.store}`);
  print(context, `Try: ${next}`);
}

function addressText({ host, port }: AddressFlag): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Refusals that their own words explain. */
function isKnown(error: unknown): error is Error {
  return (
    error instanceof StoreRefusedError || error instanceof FolderInUseError || error instanceof ListenError
  );
}

/** Resolves at the first SIGTERM or SIGINT, or when told; a second signal ends the process at once. */
function untilStopped(): { promise: Promise<void>; now: () => void } {
  const { promise, resolve: now } = Promise.withResolvers<void>();
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(EXIT.failed);
    isStopping = true;
    now();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return { promise, now };
}
