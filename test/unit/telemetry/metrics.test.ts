/** Metrics show what is and what happened; a version's series end with it, and a tenant is never a label. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../src/adapters/memory/store.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { ProxyProgress, Publisher, PublishProgress } from '../../../src/ports/publisher.ts';
import { measuredOperations, measuredStore, type StoreMeters } from '../../../src/telemetry/call-metrics.ts';
import { followConvergence } from '../../../src/telemetry/convergence.ts';
import type { Facts, ServiceFacts } from '../../../src/telemetry/facts.ts';
import { Metrics } from '../../../src/telemetry/metrics.ts';
import { RESOURCE_TYPES } from '../../../src/xds/resource.ts';
import { NO_REPORTS } from '../../support/rollout-facts.ts';
import { serviceRecord } from '../../support/stored-records.ts';

function instanceIn(state: Instance['state'], restarts = 0): Instance {
  const [version] = serviceRecord({ name: 'manager' }).versions;
  if (version === undefined) throw new Error('the record has versions');
  const address = { host: '127.0.0.1', port: 1 };
  const service = serviceName('manager');
  return {
    id: state,
    service,
    version: version.name,
    address,
    state,
    reason: '',
    since: instant(1),
    restarts,
  };
}

function factsOf(record: ServiceRecord, proxies: Facts['proxies'] = []): Facts {
  const versions = record.versions.map((version) => ({
    record: version,
    instances:
      version.name === 'v1' ? [instanceIn('Ready'), instanceIn('Ready'), instanceIn('Failed', 3)] : [],
    readyEndpoints: version.name === 'v1' ? 2 : 0,
    weight: version.name === 'v1' ? 90 : 10,
  }));
  const service: ServiceFacts = { record, versions, alerts: ['something is wrong'] };
  return { ready: true, publication: 7, services: [service], proxies, accessLog: NO_REPORTS };
}

const metersOf = ({ registry, measurements: { measured } }: Metrics): StoreMeters => ({ registry, measured });

/** The lines of a scrape that are samples of `name`. */
async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const { body } = await metrics.scrape();
  return body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

describe('metrics of state', () => {
  test('show versions, instances, weights and alerts of each service', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    metrics.follow(() => factsOf(serviceRecord({ name: 'manager', generation: 4 })));
    expect(await samples(metrics, 'switchyard_ready')).toEqual(['switchyard_ready 1']);
    expect(await samples(metrics, 'switchyard_publication')).toEqual(['switchyard_publication 7']);
    expect(await samples(metrics, 'switchyard_service_generation')).toEqual([
      'switchyard_service_generation{service="manager"} 4',
    ]);
    expect(await samples(metrics, 'switchyard_service_alerts')).toEqual([
      'switchyard_service_alerts{service="manager"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_version_state')).toEqual([
      'switchyard_version_state{service="manager",version="v1",state="Primary"} 1',
      'switchyard_version_state{service="manager",version="v2",state="Ramping"} 1',
      'switchyard_version_state{service="manager",version="v0",state="Drained"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_version_marked')).toEqual([
      'switchyard_version_marked{service="manager",version="v0",mark="Quarantined"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_version_weight_percent')).toContain(
      'switchyard_version_weight_percent{service="manager",version="v1"} 90',
    );
    const ofPrimary = (await samples(metrics, 'switchyard_instances')).filter((line) =>
      line.includes('"v1"'),
    );
    expect(ofPrimary).toEqual([
      'switchyard_instances{service="manager",version="v1",state="Starting"} 0',
      'switchyard_instances{service="manager",version="v1",state="Ready"} 2',
      'switchyard_instances{service="manager",version="v1",state="Unready"} 0',
      'switchyard_instances{service="manager",version="v1",state="Failed"} 1',
      'switchyard_instances{service="manager",version="v1",state="Stopping"} 0',
    ]);
    expect(await samples(metrics, 'switchyard_instance_restarts')).toContain(
      'switchyard_instance_restarts{service="manager",version="v1"} 3',
    );
  });

  test('the series of a version end when it is retired or removed', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    let record = serviceRecord({ name: 'manager' });
    metrics.follow(() => factsOf(record));
    expect((await metrics.scrape()).body).toContain('version="v0"');
    const retired = record.versions.map((version) =>
      version.name === 'v0' ? { ...version, state: 'Retired' as const } : version,
    );
    record = { ...record, versions: retired };
    expect((await metrics.scrape()).body).not.toContain('version="v0"');
    record = { ...record, versions: [] };
    expect((await metrics.scrape()).body).not.toContain('service="manager",version="v');
  });

  test('a deleted service has no series', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    let services = factsOf(serviceRecord({ name: 'manager' })).services;
    metrics.follow(() => ({ ready: false, publication: 1, services, proxies: [], accessLog: NO_REPORTS }));
    expect((await metrics.scrape()).body).toContain('service="manager"');
    services = [];
    expect((await metrics.scrape()).body).not.toContain('service="manager"');
  });

  test('no tenant is a label', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    metrics.follow(() => factsOf(serviceRecord({ name: 'manager' })));
    const { body } = await metrics.scrape();
    expect(body).toContain('switchyard_service_holds{service="manager"} 1');
    expect(body).not.toContain('acme');
  });

  test('proxies are counted by kind and state, and the one that is furthest behind is shown', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const proxies: Facts['proxies'] = [
      { kind: 'envoy', connected: true, inSync: true, rejecting: false, publication: 7 },
      { kind: 'envoy', connected: true, inSync: false, rejecting: true, publication: 5 },
      { kind: 'grpc', connected: false, inSync: false, rejecting: false, publication: 2 },
    ];
    metrics.follow(() => factsOf(serviceRecord({ name: 'manager' }), proxies));
    expect(await samples(metrics, 'switchyard_proxies')).toEqual([
      'switchyard_proxies{kind="envoy",state="in_sync"} 1',
      'switchyard_proxies{kind="envoy",state="behind"} 1',
      'switchyard_proxies{kind="envoy",state="away"} 0',
      'switchyard_proxies{kind="grpc",state="in_sync"} 0',
      'switchyard_proxies{kind="grpc",state="behind"} 0',
      'switchyard_proxies{kind="grpc",state="away"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_proxies_oldest_publication')).toEqual([
      'switchyard_proxies_oldest_publication 5',
    ]);
    expect(await samples(metrics, 'switchyard_proxies_rejecting')).toEqual([
      'switchyard_proxies_rejecting{kind="envoy"} 1',
      'switchyard_proxies_rejecting{kind="grpc"} 0',
    ]);
  });

  test('before the state is loaded a scrape says that it is not ready', async () => {
    expect(await samples(new Metrics({ version: '0.1.0' }), 'switchyard_ready')).toEqual([
      'switchyard_ready 0',
    ]);
  });
});

describe('metrics of what happens', () => {
  test('the xDS server reports pushes, acknowledgements and rejections by type', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    metrics.xds.connected({ kind: 'envoy', protocol: 'delta' });
    metrics.xds.pushed({ type: 'routes', bytes: 100 });
    metrics.xds.pushed({ type: 'routes', bytes: 50 });
    metrics.xds.acknowledged({ type: 'routes', after: 20 });
    metrics.xds.rejected({ type: 'routes' });
    metrics.xds.refused({ code: 14 });
    metrics.xds.translated({ took: 4, resources: 12 });
    const { body } = await metrics.scrape();
    expect(body).toContain('switchyard_xds_connects_total{kind="envoy",protocol="delta"} 1');
    expect(body).toContain('switchyard_xds_pushes_total{type="routes"} 2');
    expect(body).toContain('switchyard_xds_pushed_bytes_total{type="routes"} 150');
    expect(body).toContain('switchyard_xds_acknowledgement_seconds_sum{type="routes"} 0.02');
    expect(body).toContain('switchyard_xds_rejections_total{type="routes"} 1');
    expect(body).toContain('switchyard_xds_streams_refused_total{code="14"} 1');
    expect(body).toContain('switchyard_publication_translation_seconds_count 1');
    expect(body).toContain('switchyard_publication_resources 12');
  });

  test('every type of resource has its series before anything is pushed', async () => {
    const pushes = await samples(new Metrics({ version: '0.1.0' }), 'switchyard_xds_pushes_total');
    expect(pushes).toEqual(RESOURCE_TYPES.map((type) => `switchyard_xds_pushes_total{type="${type}"} 0`));
  });

  test('entries of access logs are counted by what became of them', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const accessLog = { proxies: 2, counted: 40, notOurs: 3, lost: 1 };
    metrics.follow(() => ({ ...factsOf(serviceRecord({ name: 'manager' })), accessLog }));
    await metrics.scrape();
    expect(await samples(metrics, 'switchyard_access_log_entries_total')).toEqual([
      'switchyard_access_log_entries_total{result="counted"} 40',
      'switchyard_access_log_entries_total{result="not_ours"} 3',
      'switchyard_access_log_entries_total{result="lost"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_access_log_proxies')).toEqual([
      'switchyard_access_log_proxies 2',
    ]);
  });

  test('commits are counted by result, and a conflict still reaches the caller', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const store = measuredStore(createMemoryStore(), metersOf(metrics));
    const record = serviceRecord({ name: 'manager' });
    await store.commit({ services: [record] });
    await expect(store.commit({ services: [record] })).rejects.toThrow(/generation 1/);
    await expect(store.commit({ nextPublication: -1 })).rejects.toThrow(RangeError);
    expect((await store.load()).services).toHaveLength(1);
    expect(await samples(metrics, 'switchyard_store_commits_total')).toEqual([
      'switchyard_store_commits_total{result="ok"} 1',
      'switchyard_store_commits_total{result="conflict"} 1',
      'switchyard_store_commits_total{result="failed"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_store_commit_seconds_count')).toEqual([
      'switchyard_store_commit_seconds_count 1',
    ]);
  });

  test('operations are counted by name and result, others pass through', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const refusal = Object.assign(new Error('no'), { name: 'OperationError', code: 'FailedPrecondition' });
    const system = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const failures: Error[] = [refusal, system];
    const operations = {
      async flip(version: string): Promise<string> {
        const failure = failures.pop();
        if (failure !== undefined) throw failure;
        return version;
      },
      services: () => ['manager'],
    };
    const measured = measuredOperations(operations, ['flip'], metrics.registry);
    await expect(measured.flip('v1')).rejects.toBe(system);
    await expect(measured.flip('v1')).rejects.toBe(refusal);
    expect(await measured.flip('v2')).toBe('v2');
    expect(measured.services()).toEqual(['manager']);
    expect(await samples(metrics, 'switchyard_operations_total')).toEqual([
      'switchyard_operations_total{operation="flip",result="ok"} 1',
      'switchyard_operations_total{operation="flip",result="Fault"} 1',
      'switchyard_operations_total{operation="flip",result="FailedPrecondition"} 1',
    ]);
    expect(await samples(metrics, 'switchyard_operation_seconds_count')).toEqual([
      'switchyard_operation_seconds_count{operation="flip"} 3',
    ]);
  });

  test('a publication converges once, when the last connected proxy has acknowledged its routes', async () => {
    const metrics = new Metrics({ version: '0.1.0' });
    const publisher = fakePublisher();
    const stop = followConvergence(publisher, metrics.registry);
    const converged = async () =>
      (await samples(metrics, 'switchyard_publication_convergence_seconds_count'))[0]?.split(' ')[1];
    publisher.show(1, []);
    publisher.show(2, [2, 1]);
    expect(await converged()).toBe('0');
    publisher.show(2, [2, 2]);
    publisher.show(2, [2, 2]);
    expect(await converged()).toBe('1');
    publisher.show(3, [2, 3]);
    publisher.show(4, [3, 3]);
    publisher.show(4, [4, 4]);
    expect(await converged()).toBe('2');
    stop();
    publisher.show(5, [5, 5]);
    expect(await converged()).toBe('2');
  });
});

/** A publisher whose progress the test sets: the newest publication, and what each proxy's routes have acknowledged. */
function fakePublisher(): Publisher & { show(publication: number, acknowledged: readonly number[]): void } {
  const listeners = new Set<() => void>();
  let progress: PublishProgress = { publication: 0, proxies: [] };
  return {
    publish: () => {},
    progress: () => progress,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    show(publication, acknowledged) {
      const proxies = acknowledged.map(
        (routesPublication, index): ProxyProgress => ({
          id: `gateway-${index}`,
          nodeId: `gateway-${index}`,
          kind: 'envoy',
          protocol: 'sotw',
          address: '127.0.0.1:1',
          userAgent: 'envoy 1.40.0',
          connectedAt: instant(1),
          lastSeen: instant(1),
          publication: routesPublication,
          routesPublication,
          types: [],
        }),
      );
      progress = { publication, proxies };
      for (const listener of listeners) listener();
    },
  };
}
