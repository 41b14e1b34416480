/**
 * Runs the controller as one of several replicas on Kubernetes. The state is in custom resources, a Lease says who leads, and
 * every replica serves proxies from its own watches, whoever leads and whether anybody does.
 */
import { accessLogService } from './adapters/access-log/service.ts';
import { systemClock } from './adapters/clock.ts';
import { LeaderElection } from './adapters/kubernetes/client/leader-election.ts';
import { sourceOf } from './adapters/kubernetes/client/reflector.ts';
import { CONTROLLER_STATE, SERVICE_ROUTING } from './adapters/kubernetes/custom-resources.ts';
import { KubernetesGatewayRoutes } from './adapters/kubernetes/gateway-api/gateway-routes.ts';
import { Caches } from './adapters/kubernetes/runtime/caches.ts';
import { KubernetesPrimaryServices } from './adapters/kubernetes/runtime/primary-services.ts';
import { KubernetesRuntime } from './adapters/kubernetes/runtime/runtime.ts';
import { runningVersions } from './adapters/kubernetes/runtime/teardown.ts';
import { KubernetesRoutingView } from './adapters/kubernetes/store/routing-view.ts';
import { COUNTERS_SELECTOR } from './adapters/kubernetes/store/state-object.ts';
import { parseAddress } from './admin/listen.ts';
import { CliError, EXIT, type ExitCode } from './cli/exit.ts';
import type { AddressFlag, ControllerFlags } from './cli/local-commands.ts';
import { print } from './cli/shell.ts';
import { identityOf, openCluster } from './cluster.ts';
import { ServiceObjectCache } from './custom-resources/cache.ts';
import type { Listener } from './grpc-server/sockets.ts';
import type { Milliseconds } from './model/instant.ts';
import type { ServiceName } from './model/names.ts';
import type { RoutingTable } from './model/table.ts';
import { startRefusalServer } from './refusal-server/server.ts';
import { openDoor } from './replicas/door.ts';
import { SwitchedLogs } from './replicas/forwarded-logs.ts';
import { openLinkServer } from './replicas/link-server.ts';
import { openReplicaPort } from './replicas/port.ts';
import { Roles } from './replicas/roles.ts';
import { follow, idle, lead, type Stage } from './serve-roles.ts';
import { addressText, bind, type Service, untilStopped } from './serving.ts';
import { startHttpServer } from './telemetry/http-server.ts';
import { createLog } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { xdsLog } from './telemetry/xds-log.ts';
import { bothObservers, currentObserver } from './xds/observer.ts';
import { createPublisher } from './xds/publisher.ts';
import { startXdsServer } from './xds/server.ts';
import { createTranslator } from './xds/translate/index.ts';

const LEASE = 'switchyard-controller';
/** A replica that could not lead lets others try for so long. */
const STEP_ASIDE: Milliseconds = 30_000;

/** Serves until a signal; Pods and proxies go on as they are. Throws CliError where it cannot begin. */
export async function serveOnKubernetes({ context, flags, version }: Service): Promise<ExitCode> {
  const stop = untilStopped();
  const log = createLog({ level: flags.logLevel });
  const cluster = openCluster(context);
  const { api, namespace } = cluster;
  const shared = { clock: systemClock, random: Math.random };
  const metrics = new Metrics({ version });
  let shown = idle({ metrics });
  await using closing = new AsyncDisposableStack();

  const publisher = createPublisher({
    translate: createTranslator(),
    now: () => systemClock.now(),
    // The metrics are those of the role that is played.
    observer: bothObservers(
      currentObserver(() => shown.metrics.xds),
      xdsLog(log),
    ),
    emptyStore: flags.acceptEmpty !== true,
    mayNotServe: () => shown.refusal(),
  });
  const view = new KubernetesRoutingView({
    ...shared,
    routings: sourceOf(api, { kind: SERVICE_ROUTING, namespace }),
    counters: sourceOf(api, { kind: CONTROLLER_STATE, namespace, labelSelector: COUNTERS_SELECTOR }),
  });
  closing.defer(() => view.stop());
  const objects = new ServiceObjectCache({ ...shared, api, namespace });
  closing.defer(() => objects.stop());
  const caches = new Caches({ ...shared, api, namespace });
  closing.defer(() => caches.stop());

  const logs = new SwitchedLogs();
  const accessLog = accessLogService((breakOff) => logs.open(breakOff));
  const link = openLinkServer([accessLog]);
  closing.defer(() => link.close());
  const http = await bind(flags.httpAddress, '--http-address', (place) =>
    startHttpServer({
      ...place,
      scrape: () => shown.metrics.scrape(),
      readiness: () =>
        view.isSynced
          ? { kind: 'ready' }
          : { kind: 'notReady', reason: `the recorded state was not read yet: ${view.trouble}` },
      onFault: ({ path, error }) => log.error({ path, err: error }, 'a request for metrics failed'),
    }),
  );
  closing.defer(() => http.close());
  const replicas = await bind(flags.replicaAddress, '--replica-address', (place) =>
    openReplicaPort({
      ...place,
      link: (socket) => link.accept(socket),
      tunnels: (name) => shown.tunnels(name),
    }),
  );
  closing.defer(() => replicas.close());
  const admin = await bind(adminPlace(flags), '--admin-address', openDoor);
  closing.defer(() => admin.close());
  const watchers = await bind(
    flags.watcherAddress ?? { host: '127.0.0.1', port: 18_003 },
    '--watcher-address',
    openDoor,
  );
  closing.defer(() => watchers.close());

  const refusals = await openRefusals(flags, () => publisher.table());
  if (refusals !== undefined) closing.defer(() => refusals.close());

  const election = new LeaderElection({
    ...shared,
    api,
    namespace,
    name: LEASE,
    identity: identityOf(cluster, replicas.port),
    monotonic: () => performance.now(),
    onChange: (leadership) => roles.want(leadership),
    onTrouble: (error) => log.warn({ err: error }, 'the Lease could not be had or renewed'),
  });
  const acting = {
    ...shared,
    api,
    namespace,
    caches,
    // What a follower wished may be older than what is recorded: nothing is written before the leader has wished anew.
    isLeader: () => shown.isActing && election.leadership.kind === 'Leading',
    ownerOf: (service: ServiceName) => objects.ownerOf(service),
  };
  const runtime = new KubernetesRuntime(acting);
  closing.defer(() => runtime.close());
  const primaryServices = new KubernetesPrimaryServices(acting);
  closing.defer(() => primaryServices.close());
  const gatewayRoutes = new KubernetesGatewayRoutes(acting);
  closing.defer(() => gatewayRoutes.close());
  const stage: Stage = {
    cluster,
    flags,
    version,
    metrics,
    log,
    election,
    publisher,
    shown: { commit: 0 },
    runtimes: { kubernetes: runtime },
    primaryServices,
    versionsOf: (service) => runningVersions(caches, service),
    gatewayRoutes,
    view,
    objects,
    link,
    logs,
    doors: { admin, watchers },
    again: () => {
      log.warn('what is stored is not what this replica has in memory; it reads everything anew');
      roles.again();
    },
    show: (next) => {
      shown = next;
      if (!next.isActing) return;
      runtime.leadershipChanged();
      gatewayRoutes.leadershipChanged();
    },
  };
  const roles = new Roles({
    lead: () => lead(stage),
    follow: (leader) => follow(stage, leader),
    onProblem: (error) => {
      log.error({ err: error }, 'this replica cannot lead; another one may try');
      void election.stepAside(STEP_ASIDE);
    },
  });
  // What the leader still writes at its end needs the Lease, so that goes after it.
  closing.defer(() => election.stop());
  closing.defer(() => roles.stop());

  const xds = await bind(flags.xdsAddress, '--xds-address', (place) =>
    startXdsServer({ publisher, ...place, services: [accessLog] }),
  );
  closing.defer(() => xds.close());
  print(context, `Switchyard ${version}, replica ${cluster.name} of namespace ${namespace}`);
  const places = { xds, http: http.address, admin, watchers, replicas, ...(refusals && { refusals }) };
  for (const [name, place] of Object.entries(places))
    print(context, `  ${name.padEnd(8)} ${addressText(place)}`);
  await Promise.all([view.start(), objects.start(), caches.start()]);
  election.start();
  log.info({ replica: cluster.name, namespace }, 'serving');
  await stop.promise;
  log.info('stopping; Pods and proxies go on');
  return EXIT.ok;
}

/** On loopback, unless it was told otherwise: the admin API has no login. */
function adminPlace({ adminAddress = '127.0.0.1:18001' }: ControllerFlags): AddressFlag {
  const address = parseAddress(adminAddress);
  if (address !== undefined) return address;
  throw new CliError(EXIT.usage, `--admin-address must be host:port, not ${JSON.stringify(adminAddress)}`);
}

/** Where gateways of the Gateway API send what must reach no version; only where it was asked for. */
async function openRefusals(
  { refusalAddress }: ControllerFlags,
  table: () => RoutingTable | undefined,
): Promise<(Listener & AddressFlag) | undefined> {
  if (refusalAddress === undefined) return undefined;
  return bind(refusalAddress, '--refusal-address', async (place) => {
    const server = await startRefusalServer({ ...place, table });
    return { ...server, host: place.host };
  });
}
