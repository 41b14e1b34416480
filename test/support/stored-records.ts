/** Service records, events and proxies for tests of stores: complete, and as small as they can be. */
import fc from 'fast-check';
import type { NewAuditEvent } from '../../src/model/audit.ts';
import { instant } from '../../src/model/instant.ts';
import { listenerName, serviceName, tenantName, versionName } from '../../src/model/names.ts';
import type { VersionedService } from '../../src/model/spec.ts';
import { type ServiceRecord, VERSION_STATES } from '../../src/model/state.ts';
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

/** Any service record: every variant of every union, with and without each optional field. */
export function anyServiceRecord(): fc.Arbitrary<ServiceRecord> {
  const version = fc.constantFrom('v1', '1.8.3', 'v42').map(versionName);
  const words = fc.string({ maxLength: 12 });
  const milliseconds = fc.nat(1_000_000);
  const since = milliseconds.map(instant);
  const times = { interval: milliseconds, timeout: milliseconds };
  return fc
    .record({
      name: fc.constantFrom('manager', 'a.b', 'x-1').map(serviceName),
      document: fc.string({ unit: 'binary', maxLength: 60 }),
      generation: fc.integer({ min: 1, max: 1_000_000 }),
      traffic: fc.oneof(
        fc.record({ kind: fc.constant('none' as const) }),
        maybeWithout(
          fc.record({ kind: fc.constant('steady' as const), primary: version, previous: version }),
          'previous',
        ),
        maybeWithout(
          fc.record({
            kind: fc.constant('shifting' as const),
            primary: version,
            previous: version,
            candidate: version,
            weight: fc.integer({ min: 1, max: 99 }),
            salt: words,
          }),
          'previous',
        ),
      ),
      versions: fc.array(
        maybeWithout(
          fc.record({
            name: version,
            state: fc.constantFrom(...VERSION_STATES),
            reason: words,
            since,
            fenced: fc.boolean(),
            mark: fc.record({
              kind: fc.constantFrom('Abandoned' as const, 'Quarantined' as const),
              reason: words,
              by: words,
              since,
            }),
            retirement: fc.record({
              step: fc.constantFrom(
                'Refusing' as const,
                'RemovingCluster' as const,
                'StoppingInstances' as const,
              ),
              since,
              waiveStragglers: fc.boolean(),
            }),
          }),
          'mark',
          'retirement',
        ),
        { maxLength: 4 },
      ),
      holds: fc.array(
        fc.record({
          tenant: fc.constantFrom('acme', 'a b', '~').map(tenantName),
          version,
          reason: words,
          by: words,
          since,
          expires: since,
        }),
        { maxLength: 3 },
      ),
      runtime: fc.oneof(
        maybeWithout(
          fc.record({ kind: fc.constant('endpoints' as const), versions: fc.constant([]), file: words }),
          'file',
        ),
        maybeWithout(
          fc.record({
            kind: fc.constant('processes' as const),
            command: fc.array(words, { maxLength: 3 }),
            workingDirectory: words,
            environment: fc.dictionary(words, words, { maxKeys: 3 }),
            instances: fc.nat(9),
            ports: fc.record({ from: fc.nat(65_535), to: fc.nat(65_535) }),
            readiness: fc.oneof(
              fc.record({
                kind: fc.constant('http' as const),
                path: words,
                ...times,
                failureThreshold: fc.nat(9),
              }),
              fc.record({
                kind: fc.constant('grpc' as const),
                service: words,
                ...times,
                failureThreshold: fc.nat(9),
              }),
              fc.record({ kind: fc.constant('tcp' as const), ...times, failureThreshold: fc.nat(9) }),
            ),
            stopGrace: milliseconds,
            restartBackoff: fc.record({ initial: milliseconds, max: milliseconds }),
          }),
          'workingDirectory',
        ),
      ),
    })
    .map(({ runtime, ...record }) => ({ ...record, spec: { ...serviceSpec(record.name), runtime } }));
}

/** The same objects, some of them without some of the named fields. */
function maybeWithout<T extends object, Key extends keyof T>(
  whole: fc.Arbitrary<T>,
  ...keys: readonly Key[]
): fc.Arbitrary<Omit<T, Key> & Partial<Pick<T, Key>>> {
  return fc.tuple(whole, fc.subarray([...keys])).map(([value, absent]) => {
    const copy: Omit<T, Key> & Partial<Pick<T, Key>> = { ...value };
    for (const key of absent) delete copy[key];
    return copy;
  });
}
