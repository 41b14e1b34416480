/**
 * Runs the controller: opens the adapters, binds all addresses, loads the state, serves until a signal or `down`, and
 * stops in order. Places are bound before anything is started, so a taken port is told before an instance runs.
 */
import { resolve } from 'node:path';
import { FolderInUseError } from './adapters/processes/folder-lock.ts';
import { StoreRefusedError } from './adapters/sqlite/errors.ts';
import { SecretFileError } from './adapters/webhooks/secret.ts';
import { isLoopback, isLoopbackHost, ListenError } from './admin/listen.ts';
import { type AdminServer, type ControllerInfo, startAdminServer } from './admin/server.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { AddressFlag, ControllerFlags } from './cli/local-commands.ts';
import { defaultDataDir, defaultSocket } from './cli/paths.ts';
import { type Context, print } from './cli/shell.ts';
import { CommandsNotAllowedError } from './controller/options.ts';
import { makeFolder, stateFile } from './data-folder.ts';
import { type Core, type CoreOptions, openCore } from './serve-core.ts';
import { openMachine } from './serve-machine.ts';
import { addressText, bind, type Service, untilStopped } from './serving.ts';
import { startHttpServer } from './telemetry/http-server.ts';
import { createLog } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { watcherObservers } from './telemetry/watcher-log.ts';
import { startWatcherServer, type WatcherServer } from './watcher-server/server.ts';
import { exportEnvoy } from './xds/export.ts';
import { startXdsServer } from './xds/server.ts';

/** Serves until it is told to stop; after a signal instances go on running. Throws CliError where it cannot begin. */
export async function serve({ context, flags, version }: Service): Promise<ExitCode> {
  const stop = untilStopped();
  const dataDir = resolve(flags.dataDir ?? defaultDataDir(context.shell.env));
  const log = createLog({ level: flags.logLevel });
  const metrics = new Metrics({ version });
  try {
    makeDataDir(dataDir);
    // What is opened last is closed first: calls end before the loop, the loop before the store.
    await using closing = new AsyncDisposableStack();
    const machine = await openMachine({ dataDir, flags, log, metrics, closing });
    const core = await openCore({ ...machine, flags, log, metrics, closing });
    const status = new Status({ version, store: storeText(flags, dataDir), core });
    const http = await bind(flags.httpAddress, '--http-address', (place) =>
      startHttpServer({
        ...place,
        scrape: () => metrics.scrape(),
        readiness: () => status.readiness(),
        onFault: ({ path, error }) => log.error({ path, err: error }, 'a request for metrics failed'),
      }),
    );
    closing.defer(() => http.close());
    const xds = await bind(flags.xdsAddress, '--xds-address', (place) =>
      startXdsServer({ publisher: machine.publisher, ...place, services: [core.accessLog.service] }),
    );
    closing.defer(() => xds.close());
    const watchers = await openWatchers(core, { flags, log, metrics, status });
    if (watchers !== undefined) closing.defer(() => watchers.close());
    closing.defer(() => core.controller.stop());
    const admin = await startAdminServer({
      operations: core.operations,
      socket: resolve(flags.adminSocket ?? defaultSocket(dataDir)),
      ...(flags.adminAddress !== undefined && { address: flags.adminAddress }),
      ready: status.loaded,
      info: () => status.info(),
      exportEnvoy: (table, settings) => JSON.stringify(exportEnvoy(table, settings)),
      onDown: () => stop.now('Down'),
      onFault: ({ method, error }) => log.error({ method, err: error }, 'an admin call failed'),
    });
    closing.defer(() => admin.close());
    for (const { address, message } of openAddresses(flags)) log.warn({ address }, message);
    status.bound({ xds, http: http.address, ...(watchers && { watchers }), admin });

    await core.controller.start();
    status.ready();
    admin.setServing(true);
    metrics.follow(() => ({ ...core.facts(), ready: status.readiness().kind === 'ready' }));
    announce(context, status.info());
    log.info({ endpoints: status.info().endpoints, store: status.info().store }, 'serving');
    const why = await stop.promise;
    status.stopping();
    log.info(why === 'Down' ? 'stopping; all instances are stopped' : 'stopping; instances go on running');
    return EXIT.ok;
  } catch (error) {
    throw isKnown(error) ? new CliError(EXIT.failed, error.message) : error;
  }
}

/** What the controller says of itself while it starts, serves and stops. */
class Status {
  readonly #facts: { version: string; store: string; core: Core };
  readonly #started;
  readonly #loaded = Promise.withResolvers<void>();
  #state: ControllerInfo['state'] = 'Loading';
  #endpoints: ControllerInfo['endpoints'] = [];

  constructor(facts: { version: string; store: string; core: Core }) {
    this.#facts = facts;
    this.#started = facts.core.controller.options.clock.now();
  }

  /** Resolves when the state is loaded and published. */
  get loaded(): Promise<void> {
    return this.#loaded.promise;
  }

  bound(places: {
    readonly xds: AddressFlag;
    readonly http: AddressFlag;
    readonly watchers?: AddressFlag;
    readonly admin: AdminServer;
  }): void {
    const { xds, http, watchers, admin } = places;
    this.#endpoints = [
      { name: 'xds', address: addressText(xds) },
      { name: 'http', address: addressText(http) },
      ...(watchers === undefined ? [] : [{ name: 'watcher', address: addressText(watchers) }]),
      ...admin.addresses.map((address) => ({ name: 'admin', address })),
    ];
  }

  ready(): void {
    this.#state = 'Ready';
    this.#loaded.resolve();
  }

  stopping(): void {
    this.#state = 'Stopping';
  }

  info(): ControllerInfo {
    const { version, store, core } = this.#facts;
    const { publications } = core.controller;
    return {
      version,
      started: this.#started,
      store,
      publication: publications.number,
      endpoints: this.#endpoints,
      ...this.#shown(),
    };
  }

  #shown(): Pick<ControllerInfo, 'state' | 'reason'> {
    const { operations, controller } = this.#facts.core;
    if (operations.isStopping()) {
      return {
        state: 'Stopping',
        reason:
          '`down` has begun: instances are stopped, and nothing starts them until a controller starts again',
      };
    }
    if (this.#state !== 'Ready' || controller.publications.isOpen) return { state: this.#state, reason: '' };
    return {
      state: 'AwaitingApply',
      reason:
        'nothing was ever applied, so proxies get no answer until `apply` or a start with --accept-empty',
    };
  }

  readiness() {
    const { state, reason } = this.info();
    return state === 'Ready'
      ? ({ kind: 'ready' } as const)
      : ({ kind: 'notReady', reason: reason === '' ? state : reason } as const);
  }
}

/** Addresses off loopback, and what that means: none of them has a login. */
function openAddresses(flags: ControllerFlags): readonly { address: string; message: string }[] {
  const { adminAddress, xdsAddress, httpAddress, watcherAddress } = flags;
  const open: { address: string; message: string }[] = [];
  if (adminAddress !== undefined && !isLoopback(adminAddress)) {
    const message = 'the admin API has no login: whoever reaches this address may do everything';
    open.push({ address: adminAddress, message });
  }
  if (!isLoopbackHost(xdsAddress.host)) {
    const message =
      'xDS has no login and no TLS: whoever reaches this address reads all routes and can hold up removals';
    open.push({ address: addressText(xdsAddress), message });
  }
  if (!isLoopbackHost(httpAddress.host)) {
    const message = 'metrics and health have no login: whoever reaches this address reads them';
    open.push({ address: addressText(httpAddress), message });
  }
  if (watcherAddress !== undefined && !isLoopbackHost(watcherAddress.host)) {
    const message =
      'watchers have no login and no TLS here: whoever reaches this address can say that it is any box, and reads where artifacts are';
    open.push({ address: addressText(watcherAddress), message });
  }
  return open;
}

/** Serves watchers, where an address was given for it. */
async function openWatchers(
  core: Core,
  options: Pick<CoreOptions, 'flags' | 'log' | 'metrics'> & { readonly status: Status },
): Promise<WatcherServer | undefined> {
  const { flags, log, metrics, status } = options;
  const { watcherAddress } = flags;
  if (watcherAddress === undefined) return undefined;
  const { controller } = core;
  const server = await bind(watcherAddress, '--watcher-address', (place) =>
    startWatcherServer({
      ...place,
      watchers: controller.fleet,
      clock: controller.options.clock,
      isReady: () => status.info().state !== 'Loading',
      observer: watcherObservers(metrics, log),
    }),
  );
  metrics.watchers.follow(() => server.streams());
  return server;
}

function makeDataDir(dataDir: string): void {
  try {
    makeFolder(dataDir);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      EXIT.failed,
      `the data folder ${dataDir} cannot be made (${why}); give another with --data-dir`,
    );
  }
}

/** Says on standard output what listens where, and what to try next. */
function announce(context: Context, info: ControllerInfo): void {
  const socket = info.endpoints.find(({ name }) => name === 'admin')?.address ?? '';
  const isDefault = socket === `unix:${defaultSocket(defaultDataDir(context.shell.env))}`;
  const command = isDefault ? 'switchyard' : `switchyard --server ${socket}`;
  print(context, `Switchyard ${info.version} is ready, publication ${info.publication}`);
  for (const { name, address } of info.endpoints) print(context, `  ${name.padEnd(6)} ${address}`);
  print(context, `  state  ${info.store}`);
  print(context, `Try: ${command} ${info.state === 'AwaitingApply' ? 'apply -f FILE' : 'get services'}`);
}

function storeText(flags: ControllerFlags, dataDir: string): string {
  return flags.store === 'file' ? `file ${stateFile(dataDir)}` : 'memory';
}

/** Refusals that their own words explain. */
function isKnown(error: unknown): error is Error {
  return (
    error instanceof CommandsNotAllowedError ||
    error instanceof StoreRefusedError ||
    error instanceof SecretFileError ||
    error instanceof FolderInUseError ||
    error instanceof ListenError
  );
}
