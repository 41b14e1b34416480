/** Arbitrary specs that the parser would give: every one is valid. */
import fc from 'fast-check';
import type { Json } from '../../src/model/json.ts';
import type { GatewayApiSpec, KubernetesRuntimeSpec } from '../../src/model/kubernetes.ts';
import { listenerName, serviceName, versionName } from '../../src/model/names.ts';
import type * as model from '../../src/model/spec.ts';
import { canonicalAddress } from '../../src/spec/address.ts';
import { headerName } from '../../src/spec/text-formats.ts';
import { delegates, notification, promqlDrain, traffic, verification } from './rollout-specs.ts';

const name = fc.oneof(
  fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,10}[a-z0-9])?$/),
  // Names that YAML would take for something else.
  fc.constantFrom('1.8', '42', '1e3', 'null', 'true', 'yes', '0x1f', '2026-01-01', '1.80', '0o7'),
);
const port = fc.integer({ min: 1, max: 65_535 });
const ip = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((text) => canonicalAddress(text) ?? '::1'),
);
const hostName = fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8}){0,2}$/);
const header = fc
  .stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/)
  .filter((text) => headerName(text) === undefined);
const path = fc.stringMatching(/^(\/[a-z0-9%_-]{1,8}){1,3}$/);
const grpcService = fc.stringMatching(/^[A-Za-z_][a-z0-9]{0,5}(\.[A-Za-z_][a-z0-9]{0,5}){0,2}$/);
const list = <T>(element: fc.Arbitrary<T>, minLength = 0) =>
  fc.uniqueArray(element, { minLength, maxLength: 4 });
const between = (min: number, max: number) => fc.integer({ min, max });
const interval = between(100, 3_600_000);
const timeout = between(10, 600_000);
// Text for the operating system: everything but NUL.
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((any) => any.replaceAll('\0', ''));

const scope: fc.Arbitrary<model.Scope> = fc.oneof(
  fc.constant({ kind: 'everywhere' } as const),
  fc.constant({ kind: 'nowhere' } as const),
  fc
    .record({ hosts: list(hostName), paths: list(path), grpcServices: list(grpcService) })
    .filter(({ hosts, paths, grpcServices }) => hosts.length + paths.length + grpcServices.length > 0)
    .map((lists) => ({ kind: 'scoped', ...lists }) as const),
);

const probe = fc.oneof(
  fc.record({ kind: fc.constant('http' as const), path }),
  fc.record({ kind: fc.constant('grpc' as const), service: fc.oneof(fc.constant(''), grpcService) }),
  fc.record({ kind: fc.constant('tcp' as const) }),
);

const endpoints = (wanted: string): fc.Arbitrary<model.EndpointsRuntimeSpec> =>
  fc
    .record({
      names: fc.uniqueArray(name, { maxLength: 3 }),
      addresses: fc.array(
        fc.uniqueArray(fc.record({ host: ip, port }), {
          maxLength: 3,
          selector: (address) => `${address.host} ${address.port}`,
        }),
        { minLength: 4, maxLength: 4 },
      ),
      file: fc.option(
        text.filter((any) => any !== ''),
        { nil: undefined },
      ),
    })
    .map(({ names, addresses, file }) => ({
      kind: 'endpoints',
      versions: [...new Set([wanted, ...names])].map((version, index) => ({
        name: versionName(version),
        addresses: addresses[index] ?? [],
      })),
      ...(file !== undefined && { file }),
    }));

const processes: fc.Arbitrary<model.ProcessesRuntimeSpec> = fc
  .record(
    {
      kind: fc.constant('processes' as const),
      command: fc.array(text, { minLength: 1, maxLength: 4 }),
      workingDirectory: text.filter((any) => any !== ''),
      environment: fc.dictionary(
        fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((key) => !key.startsWith('SWITCHYARD_')),
        text,
        { maxKeys: 3 },
      ),
      instances: between(1, 100),
      ports: fc
        .tuple(between(1, 65_000), between(100, 500))
        .map(([from, count]) => ({ from, to: from + count })),
      readiness: fc
        .tuple(probe, fc.record({ interval, timeout, failureThreshold: between(1, 100) }))
        .map(([kind, rest]) => ({ ...kind, ...rest })),
      stopGrace: between(0, 86_400_000),
      restartBackoff: fc
        .tuple(between(10, 3_600_000), between(10, 3_600_000))
        .map(([a, b]) => ({ initial: Math.min(a, b), max: Math.max(a, b) })),
    },
    {
      requiredKeys: [
        'kind',
        'command',
        'environment',
        'instances',
        'ports',
        'readiness',
        'stopGrace',
        'restartBackoff',
      ],
    },
  )
  .map((runtime) => ({ ...runtime, environment: { ...runtime.environment } }));

const containerName = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
const image = fc.constantFrom('registry.example.com/a:${version}', 'a@sha256:00', 'a');
/** What no release of ours knows: the API server and the parser hand it on as it is. */
const anyJson: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 3, noUnicodeString: false })
  .map((value) => withoutNull(JSON.parse(JSON.stringify(value)) as Json));

const podTemplate = fc
  .record({
    names: fc.uniqueArray(containerName, { minLength: 1, maxLength: 2 }),
    image,
    rest: anyJson,
    annotations: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ maxLength: 8 }), {
      maxKeys: 2,
    }),
  })
  .map(({ names, image: ofAll, rest, annotations }) => ({
    metadata: { annotations: { ...annotations } },
    spec: { containers: names.map((one) => ({ name: one, image: ofAll, rest })) },
  }));

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);

const gatewayApi: fc.Arbitrary<GatewayApiSpec> = fc.record({
  parentRefs: fc.uniqueArray(
    fc.record(
      {
        kind: fc.constantFrom('Gateway' as const, 'Service' as const),
        name: label,
        namespace: label,
        sectionName: label,
      },
      { requiredKeys: ['kind', 'name'] },
    ),
    // Two references to one parent need a section each.
    { minLength: 1, maxLength: 4, selector: (parent) => parent.name },
  ),
  hostnames: fc.uniqueArray(
    fc.tuple(fc.constantFrom('', '*.'), label).map(([wildcard, host]) => `${wildcard}${host}.gateways`),
    // Scopes may name any host, so the route must not have all of them.
    { minLength: 1, maxLength: 4 },
  ),
  mode: fc.constantFrom('Besides' as const, 'Instead' as const),
});

const kubernetes: fc.Arbitrary<KubernetesRuntimeSpec> = fc.record(
  {
    kind: fc.constant('kubernetes' as const),
    pods: fc.oneof(
      podTemplate.map((template) => ({ kind: 'template' as const, template })),
      fc.record({
        kind: fc.constant('deployment' as const),
        name: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,3})?$/),
        images: fc
          .dictionary(containerName, image, { minKeys: 1, maxKeys: 3 })
          .map((images) => ({ ...images })),
      }),
    ),
    port: fc.oneof(port, fc.stringMatching(/^[a-z]([a-z0-9]{0,5}-)?[a-z0-9]{1,6}$/)),
    replicas: between(1, 1_000),
    autoscaling: fc
      .tuple(between(1, 1_000), between(1, 1_000), between(1, 100))
      .map(([a, b, cpuPercent]) => ({ min: Math.min(a, b), max: Math.max(a, b), cpuPercent })),
    maxUnavailable: fc.oneof(
      between(0, 1_000),
      between(0, 100).map((part) => `${part}%`),
    ),
    primaryService: fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/),
    gatewayApi,
  },
  { requiredKeys: ['kind', 'pods', 'port', 'replicas', 'maxUnavailable'] },
);

/** Nothing is what an absent value is. */
function withoutNull(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value ?? 'nothing';
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutNull);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, child]) => child !== null && key !== '__proto__')
      .map(([key, child]) => [key, withoutNull(child)]),
  );
}

const upstreamParts: fc.Arbitrary<model.UpstreamSpec> = fc.record(
  {
    protocol: fc.constantFrom('Http1' as const, 'Http2' as const, 'SameAsClient' as const),
    connectTimeout: between(1, 60_000),
    healthCheck: fc
      .tuple(
        probe,
        fc.record({
          interval,
          timeout,
          healthyThreshold: between(1, 100),
          unhealthyThreshold: between(1, 100),
        }),
      )
      .map(([kind, rest]) => ({ ...kind, ...rest })),
    outlierDetection: fc.record({
      consecutiveErrors: between(1, 1_000),
      interval,
      baseEjectionTime: between(100, 86_400_000),
      maxEjectionPercent: between(1, 100),
    }),
  },
  { requiredKeys: ['protocol', 'connectTimeout'] },
);
/** A gRPC health check needs HTTP/2. */
const upstream = upstreamParts.filter(
  ({ protocol, healthCheck }) => protocol !== 'Http1' || healthCheck?.kind !== 'grpc',
);

/** Any valid spec. */
export const anySpec: fc.Arbitrary<model.VersionedService> = fc
  .record({
    names: fc.tuple(name, name),
    listeners: fc.uniqueArray(
      fc.record({
        name: name.map(listenerName),
        address: ip,
        port,
        domains: list(
          fc.oneof(
            fc.constant('*'),
            hostName,
            hostName.map((host) => `*.${host}`),
          ),
          1,
        ),
        accessLog: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3, selector: (listener) => listener.name },
    ),
    headers: fc.uniqueArray(header, { minLength: 3, maxLength: 3 }),
    scopes: fc.tuple(scope, scope, scope),
    onUnknown: fc.constantFrom('Refuse' as const, 'Primary' as const),
    hasTenantKey: fc.boolean(),
    runtime: fc.option(fc.oneof(processes, kubernetes), { nil: undefined }),
    verification: fc.option(verification, { nil: undefined }),
    retention: fc
      .tuple(between(1, 20), between(2, 20))
      .map(([keep, max]) => ({ keep, max: Math.max(keep, max) })),
    group: fc.option(name, { nil: undefined }),
    notifications: fc.uniqueArray(notification, { maxLength: 2, selector: (any) => any.name }),
    upstream,
    drain: fc.oneof(
      fc.constant({ kind: 'none' } as const),
      fc.constant({ kind: 'grpc' } as const),
      fc.constant({ kind: 'workflow' } as const),
      fc.record({ kind: fc.constant('http' as const), fencePath: path, openWorkPath: path }),
      promqlDrain,
    ),
  })
  .chain((parts) =>
    fc
      .tuple(endpoints(parts.names[1]), traffic(parts.hasTenantKey), delegates(parts.hasTenantKey))
      .map(([endpointsRuntime, anyTraffic, anyDelegates]) => {
        const [pinHeader = 'x-a', markerHeader = 'x-b', tenantHeader = 'x-c'] = parts.headers;
        const [allow, previewAllow, tenantAllow] = parts.scopes;
        return {
          name: serviceName(parts.names[0]),
          version: versionName(parts.names[1]),
          listeners: parts.listeners,
          pin: { header: pinHeader, markerHeader, allow, previewAllow, onUnknown: parts.onUnknown },
          ...(parts.hasTenantKey && { tenantKey: { header: tenantHeader, allow: tenantAllow } }),
          runtime: parts.runtime ?? endpointsRuntime,
          traffic: anyTraffic,
          upstream: parts.upstream,
          drain: { source: parts.drain },
          delegates: anyDelegates,
          ...(parts.verification && { verification: parts.verification }),
          retention: parts.retention,
          ...(parts.group !== undefined && { group: parts.group }),
          notifications: parts.notifications,
        };
      }),
  );
