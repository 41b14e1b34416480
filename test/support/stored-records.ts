/** Service records, events and proxies for tests of stores: complete, and as small as they can be. */
import type { NewAuditEvent } from '../../src/model/audit.ts';
import { NO_DELEGATES } from '../../src/model/delegates.ts';
import { instant } from '../../src/model/instant.ts';
import { listenerName, serviceName, tenantName, versionName } from '../../src/model/names.ts';
import type { VersionedService } from '../../src/model/spec.ts';
import type { ServiceRecord } from '../../src/model/state.ts';
import type { ProxySeen } from '../../src/ports/store.ts';
import { aTraffic } from './records.ts';

/** A spec with every default, as the parser would fill it in. */
function serviceSpec(name: string): VersionedService {
  return {
    name: serviceName(name),
    version: versionName('v2'),
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
    tenantKey: {
      header: 'x-tenant',
      allow: { kind: 'scoped', hosts: ['a.example'], paths: ['/api'], grpcServices: [] },
    },
    runtime: {
      kind: 'endpoints',
      versions: [{ name: versionName('v1'), addresses: [{ host: '127.0.0.1', port: 9001 }] }],
    },
    traffic: aTraffic({ steps: [10, 50, 100] }),
    upstream: { protocol: 'Http1', connectTimeout: 1000 },
    drain: { source: { kind: 'none' } },
    delegates: NO_DELEGATES,
    retention: { keep: 2, max: 3 },
    notifications: [],
  };
}

/** A service in the middle of a shift, with a hold and a retiring version. */
export function serviceRecord(wanted: {
  name: string;
  generation?: number;
  document?: string;
}): ServiceRecord {
  const since = instant(1_700_000_000_000);
  return {
    name: serviceName(wanted.name),
    spec: serviceSpec(wanted.name),
    document: wanted.document ?? `kind: VersionedService # ${wanted.name}\n`,
    generation: wanted.generation ?? 1,
    traffic: {
      kind: 'shifting',
      primary: versionName('v1'),
      candidate: versionName('v2'),
      weight: 10,
      salt: 'salt',
    },
    versions: [
      { name: versionName('v1'), state: 'Primary', reason: 'Flipped', since, fenced: false },
      { name: versionName('v2'), state: 'Ramping', reason: 'Shift', since, fenced: false },
      {
        name: versionName('v0'),
        state: 'Drained',
        reason: 'NoOpenWork',
        since,
        fenced: true,
        mark: { kind: 'Quarantined', reason: 'it lost work', by: 'ada', since },
        retirement: { step: 'RemovingCluster', since, waiveStragglers: false },
      },
    ],
    holds: [
      {
        tenant: tenantName('acme'),
        version: versionName('v1'),
        reason: 'audit',
        by: 'ada',
        since,
        expires: instant(since + 1000),
      },
    ],
  };
}

/** An event that has not been numbered. */
export function newEvent(wanted: {
  action: string;
  service?: string | undefined;
  at?: number;
  before?: string;
  after?: string;
}): NewAuditEvent {
  return {
    at: instant(wanted.at ?? 1),
    actor: 'ada',
    action: wanted.action,
    ...(wanted.service === undefined ? {} : { service: serviceName(wanted.service) }),
    reason: 'a test',
    message: `${wanted.action} happened`,
    before: wanted.before ?? '',
    after: wanted.after ?? '',
  };
}

/** A proxy that was seen. */
export function proxySeen(wanted: { id: string; lastSeen?: number; publication?: number }): ProxySeen {
  return {
    id: wanted.id,
    kind: 'envoy',
    lastSeen: instant(wanted.lastSeen ?? 1),
    publication: wanted.publication ?? 0,
  };
}
