/**
 * The two roles of a replica on Kubernetes. Proxies stay connected to it through both: what changes is who decides what they
 * are shown, and where the connections of everybody else go.
 */
import type { Logger } from 'pino';
import { ACCESS_LOG_PATH } from './adapters/access-log/service.ts';
import { systemClock } from './adapters/clock.ts';
import type { LeaderElection } from './adapters/kubernetes/client/leader-election.ts';
import type { KubernetesGatewayRoutes } from './adapters/kubernetes/gateway-api/gateway-routes.ts';
import { serverObjects } from './adapters/kubernetes/store/objects.ts';
import type { KubernetesRoutingView } from './adapters/kubernetes/store/routing-view.ts';
import { openKubernetesStore } from './adapters/kubernetes/store/store.ts';
import { startAdminServer } from './admin/server.ts';
import type { ControllerFlags } from './cli/local-commands.ts';
import { addressIn, type Cluster } from './cluster.ts';
import type { Controller } from './controller/controller.ts';
import { Follower } from './controller/follower.ts';
import type { RuntimeSet } from './controller/runtimes.ts';
import type { ServiceObjectCache } from './custom-resources/cache.ts';
import { PrimaryFollower } from './custom-resources/primary.ts';
import type { Records } from './custom-resources/records.ts';
import { RolloutObjects } from './custom-resources/rollouts.ts';
import { ServiceObjects } from './custom-resources/services.ts';
import { withWishesInObjects } from './custom-resources/wishes.ts';
import type { ServiceName, VersionName } from './model/names.ts';
import type { PrimaryServices } from './ports/primary-service.ts';
import type { OpenDoor } from './replicas/door.ts';
import { forwardLogs, type SwitchedLogs } from './replicas/forwarded-logs.ts';
import { LeadingPublisher } from './replicas/leading.ts';
import { type Link, openLink } from './replicas/link-client.ts';
import type { LinkServer } from './replicas/link-server.ts';
import type { Accept, TunnelName } from './replicas/port.ts';
import { RenumberedPublisher } from './replicas/renumbered.ts';
import type { Role } from './replicas/roles.ts';
import { openCore } from './serve-core.ts';
import { tellEvents } from './serve-events.ts';
import { historyLog, historyText } from './serve-history.ts';
import { addressText } from './serving.ts';
import { Metrics } from './telemetry/metrics.ts';
import { watcherObservers } from './telemetry/watcher-log.ts';
import { withToldRefusals } from './told-refusals.ts';
import { openWatcherDesk } from './watcher-server/server.ts';
import { exportEnvoy } from './xds/export.ts';
import type { XdsPublisher } from './xds/publisher.ts';

/** What both roles stand on; it lives as long as the process. */
export interface Stage {
  readonly cluster: Cluster;
  readonly flags: ControllerFlags;
  readonly version: string;
  /** Of the time in which it does not lead. */
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly election: LeaderElection;
  readonly publisher: XdsPublisher;
  /** The newest commit that its proxies were shown while it led, told at the end of that role. */
  readonly shown: { commit: number };
  readonly runtimes: RuntimeSet;
  readonly view: KubernetesRoutingView;
  readonly primaryServices: PrimaryServices;
  /** The versions of a service that the cluster runs, recorded or not. */
  readonly versionsOf: (service: ServiceName) => readonly VersionName[];
  readonly gatewayRoutes: KubernetesGatewayRoutes;
  readonly objects: ServiceObjectCache;
  readonly link: LinkServer;
  readonly logs: SwitchedLogs;
  readonly doors: Readonly<Record<TunnelName, OpenDoor>>;
  /** Begins the role anew. */
  readonly again: () => void;
  /** Told what is scraped and what is refused from here on. */
  readonly show: (shown: Shown) => void;
}

/** What a replica shows of itself in a role. */
export interface Shown {
  /** It leads, and what is wished of runtimes is what this leader has read. */
  readonly isActing: boolean;
  readonly metrics: Metrics;
  /** Why no stream of a proxy may begin here now; empty where it may. */
  readonly refusal: () => string;
  /** What is served through tunnels. */
  readonly tunnels: (name: TunnelName) => Accept | undefined;
}

/** As long as it plays no role. */
export function idle({ metrics }: Pick<Stage, 'metrics'>): Shown {
  return { isActing: false, metrics, refusal: () => '', tunnels: () => undefined };
}

/** Begins to follow whoever leads; nobody, where `leader` is empty. */
export function follow(stage: Stage, leader: string): Role {
  const { cluster, log, view: state, runtimes, logs, doors } = stage;
  const publisher = new RenumberedPublisher(stage.publisher);
  const shownBefore = stage.shown.commit;
  const follower = new Follower({ state, runtimes, publisher, clock: systemClock, log, shownBefore });
  const address = addressIn(leader);
  let leaderIsAt = 0;
  let link: Link | undefined;
  let closeLogs = (): void => undefined;
  if (address !== undefined) {
    const place = addressText(address);
    link = openLink({
      leader: place,
      replica: cluster.name,
      publisher,
      heldBack: () => follower.heldBack(),
      leaderIsAt: (commit) => {
        leaderIsAt = commit;
      },
      onProblem: (message) => log.warn({ leader, message }, 'the leader is not reached; it is tried again'),
    });
    const forwarded = forwardLogs({ leader: place, path: ACCESS_LOG_PATH });
    logs.switch(forwarded.open);
    closeLogs = forwarded.close;
    doors.admin.lead({ kind: 'Leader', ...address, tunnel: 'admin' });
    doors.watchers.lead({ kind: 'Leader', ...address, tunnel: 'watchers' });
  }
  const unsubscribe = follower.subscribe(() => link?.tell());
  stage.show({
    ...idle(stage),
    refusal: () =>
      leaderIsAt > publisher.progress().publication
        ? 'this replica is behind the leader; try another one, or again'
        : '',
  });
  log.info({ leader }, leader === '' ? 'following; nobody is known to lead' : 'following');
  follower.start();
  return {
    async stop() {
      unsubscribe();
      follower.stop();
      link?.close();
      closeDoors(stage);
      closeLogs();
    },
  };
}

/** Begins to lead. Rejects where the state cannot be taken over. */
export async function lead(stage: Stage): Promise<Role> {
  const { cluster, flags, log, election, runtimes, objects, version } = stage;
  await using closing = new AsyncDisposableStack();
  const metrics = new Metrics({ version });
  const opened = await openKubernetesStore({
    objects: serverObjects(cluster.api, cluster.namespace),
    leadership: () => election.leadership,
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    observer: historyLog(log),
  });
  closing.defer(() => opened.close());
  const store = withToldRefusals(opened, stage.again);
  const { everWritten } = await store.load();
  if (everWritten || flags.acceptEmpty === true) stage.publisher.acceptEmpty();
  const publisher: LeadingPublisher = new LeadingPublisher({
    own: new RenumberedPublisher(stage.publisher),
    commit: () => core.controller.ledger.commitNumber,
  });
  closing.defer(() => {
    stage.shown.commit = Math.max(stage.shown.commit, publisher.commit);
  });
  const core = await openCore({
    store,
    runtimes,
    publisher,
    primaryServices: stage.primaryServices,
    gatewayRoutes: stage.gatewayRoutes,
    flags,
    log,
    metrics,
    closing,
    isReplicated: true,
    isWishedElsewhere: (service) => objects.get(service) !== undefined,
  });
  const { controller, operations } = core;
  const records: Records = () => controller.ledger.records();
  closing.defer(() => stage.gatewayRoutes.rest());
  closing.defer(() => controller.stop());
  const started = systemClock.now();
  const admin = await startAdminServer({
    operations: withWishesInObjects(operations, cluster.namespace),
    ready: Promise.resolve(),
    info: () => ({
      version,
      started,
      store: `custom resources of namespace ${cluster.namespace}, led by ${cluster.name} in term ${opened.term}${historyText(opened)}`,
      publication: controller.publications.number,
      endpoints: [],
      state: controller.publications.isOpen ? 'Ready' : 'AwaitingApply',
      reason: '',
    }),
    exportEnvoy: (table, settings) => JSON.stringify(exportEnvoy(table, settings)),
    // It is refused here.
    onDown: () => undefined,
    onFault: ({ method, error }) => log.error({ method, err: error }, 'an admin call failed'),
  });
  closing.defer(() => admin.close());
  const watchers = openWatcherDesk({
    watchers: controller.fleet,
    clock: systemClock,
    isReady: () => true,
    observer: watcherObservers(metrics, log),
  });
  closing.defer(() => watchers.close());
  metrics.watchers.follow(() => watchers.streams());
  await controller.start();
  admin.setServing(true);
  metrics.follow(() => ({ ...core.facts(), ready: controller.publications.isOpen }));
  const tunnels: Readonly<Record<TunnelName, Accept>> = {
    admin: (socket) => admin.accept(socket),
    watchers: (socket) => watchers.accept(socket),
  };
  stage.show({ isActing: true, metrics, refusal: () => '', tunnels: (name) => tunnels[name] });
  closing.defer(() => stage.show(idle(stage)));
  await stage.gatewayRoutes
    .tidy()
    .catch((error: unknown) => log.warn({ err: error }, 'HTTPRoutes that nobody wishes are left'));
  const hand = new ServiceObjects({
    cache: objects,
    api: cluster.api,
    namespace: cluster.namespace,
    operations,
    records,
    primaryServices: stage.primaryServices,
    isOpen: () => controller.publications.isOpen,
    tracesOf: (service) => ({
      selected: stage.primaryServices.primaryOf(service),
      versions: stage.versionsOf(service),
    }),
    routesShown: (service) => controller.publications.routesShown(service),
    clock: systemClock,
    random: Math.random,
    onProblem: ({ service, error }) => log.warn({ service, err: error }, 'its object could not be looked at'),
  });
  closing.defer(() => hand.stop());
  hand.start();
  const rollouts = new RolloutObjects({
    api: cluster.api,
    namespace: cluster.namespace,
    services: objects,
    operations,
    records,
    clock: systemClock,
    random: Math.random,
    onProblem: ({ service, error }) => log.warn({ service, err: error }, 'its Rollout could not be written'),
  });
  closing.defer(() => rollouts.stop());
  rollouts.start();
  closing.defer(tellEvents({ cluster, log, controller, operations, services: objects, rollouts }));
  const primary = new PrimaryFollower({
    operations,
    records,
    primaryServices: stage.primaryServices,
    isFollowed: (service) =>
      isFollowed(controller, service) && stage.gatewayRoutes.behind(service).length === 0,
    clock: systemClock,
    random: Math.random,
    onProblem: ({ service, error }) =>
      log.warn({ service, err: error }, 'its primary Service stays where it is'),
  });
  closing.defer(() => primary.stop());
  primary.start();
  closing.defer(stage.link.lead(publisher));
  stage.logs.switch(() => core.accessLog.openStream());
  stage.doors.admin.lead({ kind: 'Here', accept: tunnels.admin });
  stage.doors.watchers.lead({ kind: 'Here', accept: tunnels.watchers });
  closing.defer(() => closeDoors(stage));
  log.info({ term: opened.term }, 'leading');
  const open = closing.move();
  return {
    async stop() {
      await open
        .disposeAsync()
        .catch((error: unknown) => log.warn({ err: error }, 'leading ended uncleanly'));
    },
  };
}

/** Whether every connected proxy, of all replicas, has the routes of a service as they are. */
function isFollowed({ publications, proxies }: Controller, service: ServiceName): boolean {
  const publication = publications.routesShown(service);
  if (publication === undefined) return false;
  return proxies.connectedStragglers(publication, 'routes').length === 0;
}

function closeDoors({ doors, logs }: Stage): void {
  for (const door of Object.values(doors)) door.lead({ kind: 'Closed' });
  logs.switch(undefined);
}
