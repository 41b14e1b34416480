/**
 * The shape in which a VersionedService is kept: every wish of the user, with defaults filled in. What release 0.1.0 did
 * not know reads as the default of the spec, without verification: an operator promotes every step. What 0.2.0 did not
 * know does too: no delegates.
 */
import { NO_DELEGATES } from '../../model/delegates.ts';
import type { GatewayApiSpec, ParentRef, PodSource } from '../../model/kubernetes.ts';
import { listenerName } from '../../model/names.ts';
import type {
  DrainSource,
  HealthCheckSpec,
  ListenerBinding,
  Notification,
  OutlierDetectionSpec,
  PinPolicy,
  Readiness,
  RetentionSpec,
  RuntimeSpec,
  Scope,
  SocketAddress,
  TenantKey,
  UpstreamSpec,
  VersionedService,
} from '../../model/spec.ts';
import { storedDelegates } from './delegates.ts';
import {
  anyJson,
  count,
  countOrText,
  dictionary,
  length,
  list,
  object,
  oneOf,
  optional,
  parsed,
  type Shape,
  since,
  tagged,
  text,
  truth,
} from './shape.ts';
import { storedServiceName, storedVersionName } from './simple.ts';
import { storedTraffic } from './traffic-spec.ts';
import { storedPrometheus, storedVerification } from './verification.ts';

const scope: Shape<Scope> = tagged<Scope>({
  everywhere: {},
  nowhere: {},
  scoped: { hosts: list(text), paths: list(text), grpcServices: list(text) },
});

const listener: Shape<ListenerBinding> = object<ListenerBinding>({
  name: parsed(text, listenerName),
  address: text,
  port: count,
  domains: list(text),
  accessLog: since(truth, false),
});

const pin: Shape<PinPolicy> = object<PinPolicy>({
  header: text,
  markerHeader: text,
  allow: scope,
  previewAllow: scope,
  onUnknown: oneOf('Refuse', 'Primary'),
});

const address: Shape<SocketAddress> = object<SocketAddress>({ host: text, port: count });

const readinessTimes = { interval: length, timeout: length, failureThreshold: count };
const readiness: Shape<Readiness> = tagged<Readiness>({
  http: { ...readinessTimes, path: text },
  grpc: { ...readinessTimes, service: text },
  tcp: readinessTimes,
});

const pods: Shape<PodSource> = tagged<PodSource>({
  deployment: { name: text, images: dictionary(text) },
  template: { template: dictionary(anyJson) },
});

const gatewayApi: Shape<GatewayApiSpec> = object<GatewayApiSpec>({
  parentRefs: list(
    object<ParentRef>({
      kind: oneOf('Gateway', 'Service'),
      name: text,
      namespace: optional(text),
      sectionName: optional(text),
    }),
  ),
  hostnames: list(text),
  mode: oneOf('Besides', 'Instead'),
});

const runtime: Shape<RuntimeSpec> = tagged<RuntimeSpec>({
  endpoints: {
    versions: list(object({ name: storedVersionName, addresses: list(address) })),
    file: optional(text),
  },
  processes: {
    command: list(text),
    workingDirectory: optional(text),
    environment: dictionary(text),
    instances: count,
    ports: object({ from: count, to: count }),
    readiness,
    stopGrace: length,
    restartBackoff: object({ initial: length, max: length }),
  },
  kubernetes: {
    pods,
    port: countOrText,
    replicas: count,
    autoscaling: optional(object({ min: count, max: count, cpuPercent: count })),
    maxUnavailable: countOrText,
    primaryService: optional(text),
    gatewayApi: optional(gatewayApi),
  },
});

const healthCheckTimes = {
  interval: length,
  timeout: length,
  healthyThreshold: count,
  unhealthyThreshold: count,
};
const healthCheck: Shape<HealthCheckSpec> = tagged<HealthCheckSpec>({
  http: { ...healthCheckTimes, path: text },
  grpc: { ...healthCheckTimes, service: text },
  tcp: healthCheckTimes,
});

const outlierDetection: Shape<OutlierDetectionSpec> = object<OutlierDetectionSpec>({
  consecutiveErrors: count,
  interval: length,
  baseEjectionTime: length,
  maxEjectionPercent: length,
});

const upstream: Shape<UpstreamSpec> = object<UpstreamSpec>({
  protocol: oneOf('Http1', 'Http2', 'SameAsClient'),
  connectTimeout: length,
  healthCheck: optional(healthCheck),
  outlierDetection: optional(outlierDetection),
});

const drainSource: Shape<DrainSource> = tagged<DrainSource>({
  promql: { query: text, prometheus: storedPrometheus, instanceLabel: text, quietFor: length },
  grpc: {},
  workflow: {},
  http: { fencePath: text, openWorkPath: text },
  none: {},
});

const retention: Shape<RetentionSpec> = object<RetentionSpec>({ keep: count, max: count });

const notification: Shape<Notification> = object<Notification>({ name: text, url: text, events: list(text) });

/** Reads a stored VersionedService. */
export const storedSpec: Shape<VersionedService> = object<VersionedService>({
  name: storedServiceName,
  version: storedVersionName,
  listeners: list(listener),
  pin,
  tenantKey: optional(object<TenantKey>({ header: text, allow: scope })),
  runtime,
  traffic: storedTraffic,
  upstream,
  drain: object({ source: drainSource }),
  delegates: since(storedDelegates, NO_DELEGATES),
  verification: optional(storedVerification),
  retention: since(retention, { keep: 2, max: 3 }),
  group: optional(text),
  notifications: since(list(notification), []),
});
