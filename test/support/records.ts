/** Records, specs and instances for tests: a small complete one of each, with what a test cares about replaced. */
import type { Check } from '../../src/model/check.ts';
import { NO_DELEGATES } from '../../src/model/delegates.ts';
import type { Instance } from '../../src/model/instance.ts';
import { instant } from '../../src/model/instant.ts';
import { listenerName, serviceName, versionName } from '../../src/model/names.ts';
import type { TrafficSpec, VerificationSpec, VersionedService } from '../../src/model/spec.ts';
import type { ServiceRecord, VersionRecord } from '../../src/model/state.ts';

/** A service on one listener, with a tenant key, whose instances somebody else runs. */
export function aSpec(replaced: Partial<VersionedService> = {}): VersionedService {
  return {
    name: serviceName('manager'),
    version: versionName('v1'),
    listeners: [
      { name: listenerName('gateway'), address: '127.0.0.1', port: 10000, domains: ['*'], accessLog: false },
    ],
    pin: {
      header: 'x-delegate-version',
      markerHeader: 'x-delegate-pinned',
      allow: { kind: 'everywhere' },
      previewAllow: { kind: 'nowhere' },
      onUnknown: 'Refuse',
    },
    tenantKey: { header: 'x-tenant-id', allow: { kind: 'everywhere' } },
    runtime: { kind: 'endpoints', versions: [] },
    traffic: aTraffic(),
    upstream: { protocol: 'Http1', connectTimeout: 1000 },
    drain: { source: { kind: 'none' } },
    delegates: NO_DELEGATES,
    retention: { keep: 2, max: 3 },
    notifications: [],
    ...replaced,
  };
}

/** One flip that an operator promotes: no windows, cohort or mirror. */
export function aTraffic(replaced: Partial<TrafficSpec> = {}): TrafficSpec {
  return {
    steps: [100],
    stepDuration: 0,
    promotion: 'Manual',
    approvals: [],
    progressDeadline: 600_000,
    windows: [],
    retries: 1,
    ...replaced,
  };
}

/** A check of the success rate, at every step, with a limit of 99 percent. */
export function aCheck(replaced: Partial<Check> = {}): Check {
  return {
    name: 'errors',
    metric: { kind: 'builtin', name: 'SuccessRate' },
    condition: { limit: { min: 99 } },
    at: ['Verify', 'Shift', 'Soak'],
    interval: 30_000,
    count: 3,
    initialDelay: 0,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    minimumSamples: 20,
    noData: 'Hold',
    critical: true,
    dryRun: false,
    weight: 1,
    ...replaced,
  };
}

/** One check, by a Prometheus that scrapes every five seconds, and no soak. */
export function aVerification(replaced: Partial<VerificationSpec> = {}): VerificationSpec {
  return {
    prometheus: { url: 'http://127.0.0.1:9090', scrapeInterval: 5_000, timeout: 10_000 },
    checks: [aCheck()],
    passScore: 100,
    marginalScore: 100,
    soak: 0,
    ...replaced,
  };
}

/** The same service with instances that Switchyard runs. */
export function aProcessesSpec(replaced: Partial<VersionedService> = {}): VersionedService {
  return aSpec({
    runtime: {
      kind: 'processes',
      command: ['manager', '--port', '${port}'],
      environment: {},
      instances: 1,
      ports: { from: 9000, to: 9099 },
      readiness: { kind: 'tcp', interval: 1_000, timeout: 1_000, failureThreshold: 1 },
      stopGrace: 1_000,
      restartBackoff: { initial: 1_000, max: 1_000 },
    },
    ...replaced,
  });
}

/** A version in a state, since the beginning of time. */
export function aVersion(name: string, replaced: Partial<VersionRecord> = {}): VersionRecord {
  return {
    name: versionName(name),
    state: 'Standby',
    reason: 'Test',
    since: instant(0),
    fenced: false,
    ...replaced,
  };
}

/** A service whose primary is v1, with v2 beside it. */
export function aRecord(replaced: Partial<ServiceRecord> = {}): ServiceRecord {
  const spec = replaced.spec ?? aSpec();
  return {
    name: spec.name,
    spec,
    document: '',
    generation: 1,
    traffic: { kind: 'steady', primary: versionName('v1') },
    versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2')],
    holds: [],
    ...replaced,
  };
}

let nextPort = 20_000;

/** A ready instance of a version on a port of its own. */
export function anInstance(version: string, replaced: Partial<Instance> = {}): Instance {
  nextPort += 1;
  return {
    id: `manager-${version}-${nextPort}`,
    service: serviceName('manager'),
    version: versionName(version),
    address: { host: '127.0.0.1', port: nextPort },
    state: 'Ready',
    reason: 'test',
    since: instant(0),
    restarts: 0,
    ...replaced,
  };
}
