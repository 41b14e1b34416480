/** A model in, its message of the proto out: the reverse of to-model.ts, with every default written out. */
import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import type * as model from '../model/spec.ts';
import { formatSocketAddress } from './address.ts';
import { fromDelegates } from './from-model-delegates.ts';
import { fromKubernetes } from './from-model-kubernetes.ts';
import { fromDrainSource, fromTraffic } from './from-model-rollout.ts';
import { fromVerification, type Init } from './from-model-verification.ts';
import { API_VERSION, KIND } from './rules.ts';

/** The document of a service, as a message. */
export function fromService(service: model.VersionedService): config.VersionedService {
  const {
    name,
    version,
    listeners,
    pin,
    tenantKey,
    runtime,
    traffic,
    upstream,
    drain,
    delegates,
    verification,
    retention,
    group,
    notifications,
  } = service;
  return create(config.VersionedServiceSchema, {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name },
    spec: {
      version,
      listeners: listeners.map((listener) => ({ ...listener, domains: [...listener.domains] })),
      pin: {
        header: pin.header,
        markerHeader: pin.markerHeader,
        allow: fromScope(pin.allow),
        previewAllow: fromScope(pin.previewAllow),
        onUnknown: ON_UNKNOWN[pin.onUnknown],
      },
      ...(tenantKey && { tenantKey: { header: tenantKey.header, allow: fromScope(tenantKey.allow) } }),
      runtime: { kind: fromRuntime(runtime) },
      traffic: fromTraffic(traffic),
      upstream: fromUpstream(upstream),
      drain: { source: fromDrainSource(drain.source) },
      delegates: fromDelegates(delegates),
      ...(verification && { verification: fromVerification(verification) }),
      retention,
      ...(group !== undefined && { group }),
      notifications: notifications.map(({ name: receiver, url, events }) => ({
        name: receiver,
        url,
        events: [...events],
      })),
    },
  });
}

const ON_UNKNOWN = {
  Refuse: config.OnUnknown.REFUSE,
  Primary: config.OnUnknown.PRIMARY,
} as const satisfies Record<model.PinPolicy['onUnknown'], config.OnUnknown>;

const PROTOCOL = {
  Http1: config.Protocol.HTTP1,
  Http2: config.Protocol.HTTP2,
  SameAsClient: config.Protocol.SAME_AS_CLIENT,
} as const satisfies Record<model.UpstreamSpec['protocol'], config.Protocol>;

function fromScope(scope: model.Scope): Init<typeof config.ScopeSchema> {
  switch (scope.kind) {
    case 'everywhere':
      return { everywhere: true };
    case 'nowhere':
      return { nowhere: true };
    case 'scoped':
      return { hosts: [...scope.hosts], paths: [...scope.paths], grpcServices: [...scope.grpcServices] };
  }
}

function fromRuntime(runtime: model.RuntimeSpec): NonNullable<Init<typeof config.RuntimeSchema>['kind']> {
  switch (runtime.kind) {
    case 'endpoints': {
      const versions = runtime.versions.map(({ name, addresses }) => ({
        name,
        addresses: addresses.map(formatSocketAddress),
      }));
      return {
        case: 'endpoints',
        value: { versions, ...(runtime.file !== undefined && { file: runtime.file }) },
      };
    }
    case 'processes':
      return { case: 'processes', value: fromProcesses(runtime) };
    case 'kubernetes':
      return { case: 'kubernetes', value: fromKubernetes(runtime) };
  }
}

function fromProcesses(runtime: model.ProcessesRuntimeSpec): Init<typeof config.ProcessesRuntimeSchema> {
  const { command, workingDirectory, environment, instances, ports, readiness, restartBackoff } = runtime;
  return {
    command: [...command],
    ...(workingDirectory !== undefined && { workingDirectory }),
    environment: { ...environment },
    instances,
    ports,
    readiness: {
      kind: fromProbe(readiness),
      interval: durationFromMs(readiness.interval),
      timeout: durationFromMs(readiness.timeout),
      failureThreshold: readiness.failureThreshold,
    },
    stopGrace: durationFromMs(runtime.stopGrace),
    restartBackoff: {
      initial: durationFromMs(restartBackoff.initial),
      max: durationFromMs(restartBackoff.max),
    },
  };
}

function fromProbe(
  probe: model.Readiness | model.HealthCheckSpec,
): NonNullable<Init<typeof config.ReadinessSchema>['kind']> {
  switch (probe.kind) {
    case 'http':
      return { case: 'http', value: { path: probe.path } };
    case 'grpc':
      return { case: 'grpc', value: { service: probe.service } };
    case 'tcp':
      return { case: 'tcp', value: {} };
  }
}

function fromUpstream({
  protocol,
  connectTimeout,
  healthCheck,
  outlierDetection,
}: model.UpstreamSpec): Init<typeof config.UpstreamSchema> {
  return {
    protocol: PROTOCOL[protocol],
    connectTimeout: durationFromMs(connectTimeout),
    ...(healthCheck && {
      healthCheck: {
        kind: fromProbe(healthCheck),
        interval: durationFromMs(healthCheck.interval),
        timeout: durationFromMs(healthCheck.timeout),
        healthyThreshold: healthCheck.healthyThreshold,
        unhealthyThreshold: healthCheck.unhealthyThreshold,
      },
    }),
    ...(outlierDetection && {
      outlierDetection: {
        consecutiveErrors: outlierDetection.consecutiveErrors,
        interval: durationFromMs(outlierDetection.interval),
        baseEjectionTime: durationFromMs(outlierDetection.baseEjectionTime),
        maxEjectionPercent: outlierDetection.maxEjectionPercent,
      },
    }),
  };
}
