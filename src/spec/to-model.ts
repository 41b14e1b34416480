/** A faultless message of the proto in, the model out: names branded, durations in milliseconds, oneofs as unions. */
import * as config from '../gen/switchyard/config/v1/config_pb.js';
import { listenerName, serviceName, versionName } from '../model/names.ts';
import type * as model from '../model/spec.ts';
import { canonicalAddress, parseSocketAddress } from './address.ts';
import { given } from './given.ts';
import { milliseconds } from './leaf.ts';
import { toDelegates } from './to-model-delegates.ts';
import { toKubernetes } from './to-model-kubernetes.ts';
import { toDrainSource, toTraffic } from './to-model-rollout.ts';
import { toVerification } from './to-model-verification.ts';

/** The model of a message that the walk found no fault in. */
export function toService({ metadata, spec }: config.VersionedService): model.VersionedService {
  const wishes = given(spec);
  const verification = wishes.verification && toVerification(wishes.verification);
  return {
    name: serviceName(given(metadata).name),
    version: versionName(wishes.version),
    listeners: wishes.listeners.map(({ name, address, port, domains, accessLog }) => ({
      name: listenerName(name),
      address: given(canonicalAddress(address)),
      port,
      domains,
      accessLog,
    })),
    pin: toPin(given(wishes.pin)),
    ...(wishes.tenantKey && {
      tenantKey: { header: wishes.tenantKey.header, allow: toScope(given(wishes.tenantKey.allow)) },
    }),
    runtime: toRuntime(given(wishes.runtime)),
    traffic: toTraffic(given(wishes.traffic), verification),
    upstream: toUpstream(given(wishes.upstream)),
    drain: { source: toDrainSource(given(wishes.drain), verification) },
    delegates: toDelegates(given(wishes.delegates), verification),
    ...(verification && { verification }),
    retention: { keep: given(wishes.retention).keep, max: given(wishes.retention).max },
    ...(wishes.group !== undefined && { group: wishes.group }),
    notifications: wishes.notifications.map(({ name, url, events }) => ({ name, url, events })),
  };
}

/** The model of a listed version. */
export function toEndpointsVersion({ name, addresses }: config.EndpointsVersion): model.EndpointsVersion {
  return {
    name: versionName(name),
    addresses: addresses.map((address) => given(parseSocketAddress(address))),
  };
}

const ON_UNKNOWN = {
  [config.OnUnknown.UNSPECIFIED]: undefined,
  [config.OnUnknown.REFUSE]: 'Refuse',
  [config.OnUnknown.PRIMARY]: 'Primary',
} as const satisfies Record<config.OnUnknown, model.PinPolicy['onUnknown'] | undefined>;

const PROTOCOL = {
  [config.Protocol.UNSPECIFIED]: undefined,
  [config.Protocol.HTTP1]: 'Http1',
  [config.Protocol.HTTP2]: 'Http2',
  [config.Protocol.SAME_AS_CLIENT]: 'SameAsClient',
} as const satisfies Record<config.Protocol, model.UpstreamSpec['protocol'] | undefined>;

function toPin({ header, markerHeader, allow, previewAllow, onUnknown }: config.Pin): model.PinPolicy {
  return {
    header,
    markerHeader,
    allow: toScope(given(allow)),
    previewAllow: toScope(given(previewAllow)),
    onUnknown: given(ON_UNKNOWN[onUnknown]),
  };
}

function toScope({ everywhere, nowhere, hosts, paths, grpcServices }: config.Scope): model.Scope {
  if (everywhere === true) return { kind: 'everywhere' };
  if (nowhere === true) return { kind: 'nowhere' };
  return { kind: 'scoped', hosts, paths, grpcServices };
}

function toRuntime({ kind }: config.Runtime): model.RuntimeSpec {
  switch (kind.case) {
    case 'endpoints': {
      const { versions, file } = kind.value;
      return {
        kind: 'endpoints',
        versions: versions.map(toEndpointsVersion),
        ...(file !== undefined && { file }),
      };
    }
    case 'processes':
      return toProcesses(kind.value);
    case 'kubernetes':
      return toKubernetes(kind.value);
    case undefined:
      return given<model.RuntimeSpec>(undefined);
  }
}

function toProcesses(processes: config.ProcessesRuntime): model.ProcessesRuntimeSpec {
  const { command, workingDirectory, environment, instances } = processes;
  const ports = given(processes.ports);
  const backoff = given(processes.restartBackoff);
  const readiness = given(processes.readiness);
  return {
    kind: 'processes',
    command,
    ...(workingDirectory !== undefined && { workingDirectory }),
    environment,
    instances,
    ports: { from: ports.from, to: ports.to },
    readiness: {
      ...toProbe(readiness.kind),
      interval: milliseconds(readiness.interval),
      timeout: milliseconds(readiness.timeout),
      failureThreshold: readiness.failureThreshold,
    },
    stopGrace: milliseconds(processes.stopGrace),
    restartBackoff: { initial: milliseconds(backoff.initial), max: milliseconds(backoff.max) },
  };
}

type Probe =
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'grpc'; readonly service: string }
  | { readonly kind: 'tcp' };

function toProbe(kind: config.Readiness['kind'] | config.HealthCheck['kind']): Probe {
  switch (kind.case) {
    case 'http':
      return { kind: 'http', path: kind.value.path };
    case 'grpc':
      return { kind: 'grpc', service: kind.value.service };
    case 'tcp':
      return { kind: 'tcp' };
    case undefined:
      return given<Probe>(undefined);
  }
}

function toUpstream({
  protocol,
  connectTimeout,
  healthCheck,
  outlierDetection,
}: config.Upstream): model.UpstreamSpec {
  return {
    protocol: given(PROTOCOL[protocol]),
    connectTimeout: milliseconds(connectTimeout),
    ...(healthCheck && {
      healthCheck: {
        ...toProbe(healthCheck.kind),
        interval: milliseconds(healthCheck.interval),
        timeout: milliseconds(healthCheck.timeout),
        healthyThreshold: healthCheck.healthyThreshold,
        unhealthyThreshold: healthCheck.unhealthyThreshold,
      },
    }),
    ...(outlierDetection && {
      outlierDetection: {
        consecutiveErrors: outlierDetection.consecutiveErrors,
        interval: milliseconds(outlierDetection.interval),
        baseEjectionTime: milliseconds(outlierDetection.baseEjectionTime),
        maxEjectionPercent: outlierDetection.maxEjectionPercent,
      },
    }),
  };
}
