/**
 * Gauges of what is: services, versions, instances and proxies. They are filled anew at each scrape from the facts of
 * that moment, so the series of a version end when the version is retired, and no tenant ever becomes a label.
 */
import { Gauge, type Registry } from 'prom-client';
import type { InstanceState } from '../model/instance.ts';
import type { Facts, Filler, ProxyFacts, ServiceFacts, VersionFacts } from './facts.ts';

/** Every state has a series as long as the version lives, so that a count that falls to 0 is seen. */
const INSTANCE_STATES = Object.keys({
  Starting: true,
  Ready: true,
  Unready: true,
  Failed: true,
  Stopping: true,
} satisfies Record<InstanceState, true>) as InstanceState[];

const PROXY_STATES = ['in_sync', 'behind', 'away'] as const;
const PROXY_KINDS = ['envoy', 'grpc'] as const;

/** Registers the gauges. */
export function stateMetrics(registry: Registry): Filler {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Gauge<Label> => new Gauge({ name, help, labelNames, registers: [registry] });
  const ofVersion = ['service', 'version'] as const;

  const publication = gauge(
    'switchyard_publication',
    'Number of the newest publication of the routing table.',
    [],
  );
  const proxies = gauge('switchyard_proxies', 'Known proxies by kind and state (in_sync, behind, away).', [
    'kind',
    'state',
  ]);
  const oldest = gauge(
    'switchyard_proxies_oldest_publication',
    'Oldest publication that a connected proxy still serves.',
    [],
  );
  const rejecting = gauge(
    'switchyard_proxies_rejecting',
    'Proxies that rejected what they are to take, and have not taken it since, by kind.',
    ['kind'],
  );
  const generation = gauge('switchyard_service_generation', 'Generation of the record of a service.', [
    'service',
  ]);
  const alerts = gauge('switchyard_service_alerts', 'Things that are wrong with a service now.', ['service']);
  const holds = gauge(
    'switchyard_service_holds',
    'Tenants of a service that an operator holds on a version.',
    ['service'],
  );
  const frozen = gauge(
    'switchyard_service_frozen',
    '1 while an operator keeps the default traffic of a service from moving forward.',
    ['service'],
  );
  const state = gauge('switchyard_version_state', 'Always 1; the label says in which state a version is.', [
    ...ofVersion,
    'state',
  ]);
  const marked = gauge(
    'switchyard_version_marked',
    'Always 1, for a version with a mark (Abandoned, Quarantined).',
    [...ofVersion, 'mark'],
  );
  const weight = gauge(
    'switchyard_version_weight_percent',
    'Share of the default traffic that a version has.',
    ofVersion,
  );
  const ready = gauge('switchyard_version_ready_endpoints', 'Ready endpoints of a version.', ofVersion);
  const instances = gauge('switchyard_instances', 'Instances of a version by state.', [
    ...ofVersion,
    'state',
  ]);
  const restarts = gauge(
    'switchyard_instance_restarts',
    'Restarts of the instances of a version that are known now.',
    ofVersion,
  );
  const perScrape = [
    proxies,
    oldest,
    rejecting,
    generation,
    alerts,
    holds,
    frozen,
    state,
    marked,
    weight,
    ready,
    instances,
    restarts,
  ];

  function fillVersion(service: string, { record, ...version }: VersionFacts): void {
    const labels = { service, version: record.name };
    state.set({ ...labels, state: record.state }, 1);
    if (record.mark !== undefined) marked.set({ ...labels, mark: record.mark.kind }, 1);
    weight.set(labels, version.weight);
    ready.set(labels, version.readyEndpoints);
    for (const [instanceState, instancesInState] of countByState(version)) {
      instances.set({ ...labels, state: instanceState }, instancesInState);
    }
    restarts.set(
      labels,
      version.instances.reduce((sum, instance) => sum + instance.restarts, 0),
    );
  }

  function fillService(service: ServiceFacts): void {
    const { name } = service.record;
    generation.set({ service: name }, service.record.generation);
    alerts.set({ service: name }, service.alerts.length);
    holds.set({ service: name }, service.record.holds.length);
    frozen.set({ service: name }, service.record.freeze === undefined ? 0 : 1);
    for (const version of service.versions)
      if (version.record.state !== 'Retired') fillVersion(name, version);
  }

  function fillProxies(known: readonly ProxyFacts[]): void {
    for (const kind of PROXY_KINDS) {
      for (const proxyState of PROXY_STATES) {
        const inState = known.filter((proxy) => proxy.kind === kind && stateOf(proxy) === proxyState);
        proxies.set({ kind, state: proxyState }, inState.length);
      }
      rejecting.set({ kind }, known.filter((proxy) => proxy.kind === kind && proxy.rejecting).length);
    }
    const served = known.filter(({ connected }) => connected).map((proxy) => proxy.publication);
    if (served.length > 0) oldest.set(served.reduce((least, number) => Math.min(least, number)));
  }

  return {
    begin({ publication: number, proxies: known }: Facts) {
      for (const each of perScrape) each.reset();
      publication.set(number);
      fillProxies(known);
    },
    service: fillService,
  };
}

function stateOf(proxy: ProxyFacts): (typeof PROXY_STATES)[number] {
  if (!proxy.connected) return 'away';
  return proxy.inSync ? 'in_sync' : 'behind';
}

function countByState({ instances }: Pick<VersionFacts, 'instances'>): [InstanceState, number][] {
  return INSTANCE_STATES.map((state) => [
    state,
    instances.filter((instance) => instance.state === state).length,
  ]);
}
