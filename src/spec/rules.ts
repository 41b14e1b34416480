/**
 * What a field must be, beyond its type in the proto: whether it is required, its default, range, pattern and size.
 * One table, keyed by message and field, which the parser reads. A test checks that it names every field of the
 * proto and that docs/spec.md and the comments of the proto say the same.
 */

import { ipAddress, socketAddress } from './address.ts';
import { CHOICE, type FieldRule, type FieldRules, HOUR, INTERVAL, MINUTE, TIMEOUT } from './field-rule.ts';
import { DELEGATE_RULES } from './rules-of-delegates.ts';
import { KUBERNETES_RULES } from './rules-of-kubernetes.ts';
import { ROLLOUT_RULES } from './rules-of-rollouts.ts';
import { VERIFICATION_RULES } from './rules-of-verification.ts';
import { WATCHER_RULES } from './rules-of-watchers.ts';
import * as format from './text-formats.ts';
import { exactly } from './text-formats.ts';
import { httpUrl } from './url.ts';

export const API_VERSION = 'switchyard.dev/v1alpha1';
export const KIND = 'VersionedService';

const PORT: readonly [number, number] = [1, 65_535];
const THRESHOLD: readonly [number, number] = [1, 100];
const LISTED_VERSIONS: FieldRule = { size: [0, 100], unique: 'name' };
const SCOPE_LIST: FieldRule = { size: [0, 100], unique: 'value' };

const RULES: FieldRules = {
  'VersionedService.apiVersion': { required: `write ${API_VERSION}`, text: exactly(API_VERSION) },
  'VersionedService.kind': { required: `write ${KIND}`, text: exactly(KIND) },
  'VersionedService.metadata': { required: 'write {name: ...} with the name of the service' },
  'VersionedService.spec': { required: 'write what is wished for: version, listeners, pin and runtime' },
  'Metadata.name': { required: 'write the name of the service', text: format.nameFormat },

  'VersionedServiceSpec.version': {
    required: 'write the version that is wanted, such as v42',
    text: format.nameFormat,
  },
  'VersionedServiceSpec.listeners': {
    required: 'write where requests are accepted, such as [{name: gateway, port: 10000}]',
    size: [1, 16],
    unique: 'name',
  },
  'VersionedServiceSpec.pin': {
    required: 'write how a request names a version, such as {allow: {paths: [/api]}}',
  },
  'VersionedServiceSpec.tenantKey': {},
  'VersionedServiceSpec.runtime': {
    required: 'write what runs the instances: {endpoints: ...}, {processes: ...} or {kubernetes: ...}',
  },
  'VersionedServiceSpec.traffic': { default: '{}' },
  'VersionedServiceSpec.upstream': { default: '{}' },
  'VersionedServiceSpec.drain': { default: '{none: {}}' },
  'VersionedServiceSpec.verification': {},
  'VersionedServiceSpec.retention': { default: '{}' },
  'VersionedServiceSpec.group': { text: format.nameFormat },
  'VersionedServiceSpec.notifications': { size: [0, 20], unique: 'name' },
  'VersionedServiceSpec.delegates': { default: '{none: {}}' },

  'Listener.name': { required: 'write the name of the listener, such as gateway', text: format.nameFormat },
  'Listener.address': { default: '127.0.0.1', text: ipAddress },
  'Listener.port': { default: '10000', range: PORT },
  'Listener.domains': { default: '["*"]', size: [1, 100], text: format.domain, unique: 'value' },
  'Listener.accessLog': { default: 'false' },

  'Scope.everywhere': {},
  'Scope.nowhere': {},
  'Scope.hosts': { ...SCOPE_LIST, text: format.hostName },
  'Scope.paths': { ...SCOPE_LIST, text: format.pathPrefix },
  'Scope.grpcServices': { ...SCOPE_LIST, text: format.grpcService },

  'Pin.header': { default: 'x-delegate-version', text: format.headerName },
  'Pin.markerHeader': { default: 'x-delegate-pinned', text: format.headerName },
  'Pin.allow': {
    required:
      'say where the pin counts, such as {paths: [/api]}, {hosts: [agents.example.com]} or {grpcServices: [pipeline.v1.Tasks]}; ' +
      '{everywhere: true} lets every caller choose the version',
  },
  'Pin.previewAllow': { default: '{nowhere: true}' },
  'Pin.onUnknown': { default: 'Refuse' },

  'TenantKey.header': {
    required: 'write the header whose value is the tenant, such as x-tenant-id',
    text: format.headerName,
  },
  'TenantKey.allow': {
    required:
      'say where callers may name their tenant, such as {hosts: [gateway.example.com]}; {everywhere: true} trusts every caller',
  },

  'Runtime.endpoints': CHOICE,
  'Runtime.processes': CHOICE,
  'Runtime.kubernetes': CHOICE,

  'EndpointsRuntime.versions': LISTED_VERSIONS,
  'EndpointsRuntime.file': { text: format.filePath },
  'EndpointsFile.versions': { ...LISTED_VERSIONS, required: 'write the list of versions, or [] for none' },
  'EndpointsVersion.name': { required: 'write the name of the version', text: format.nameFormat },
  'EndpointsVersion.addresses': {
    required: 'write the addresses of the instances, such as ["127.0.0.1:9001"], or [] for none',
    size: [0, 1_000],
    text: socketAddress,
    unique: 'value',
  },

  'ProcessesRuntime.command': {
    required: 'write the program and its arguments as a list, such as [./manager, --port, "${port}"]',
    size: [1, 100],
    text: format.systemText,
  },
  'ProcessesRuntime.workingDirectory': { text: format.filePath },
  'ProcessesRuntime.environment': { size: [0, 1_000], keys: format.environmentName, text: format.systemText },
  'ProcessesRuntime.instances': { default: '2', range: [1, 100] },
  'ProcessesRuntime.ports': {
    required: 'write the ports that instances may use, such as {from: 9000, to: 9099}',
  },
  'ProcessesRuntime.readiness': { default: '{tcp: {}}' },
  'ProcessesRuntime.stopGrace': { default: '30s', range: [0, 24 * HOUR] },
  'ProcessesRuntime.restartBackoff': { default: '{}' },
  'PortRange.from': { required: 'write the first port', range: PORT },
  'PortRange.to': { required: 'write the last port', range: PORT },
  'RestartBackoff.initial': { default: '1s', range: [10, HOUR] },
  'RestartBackoff.max': { default: '1m', range: [10, HOUR] },

  'Readiness.http': CHOICE,
  'Readiness.grpc': CHOICE,
  'Readiness.tcp': CHOICE,
  'Readiness.interval': { default: '1s', range: INTERVAL },
  'Readiness.timeout': { default: '1s', range: TIMEOUT },
  'Readiness.failureThreshold': { default: '3', range: THRESHOLD },
  'HttpProbe.path': {
    required: 'write the path that is asked for, such as /healthz',
    text: format.requestPath,
  },
  'GrpcProbe.service': { default: '""', text: format.grpcHealthService },

  'Upstream.protocol': { default: 'Http1' },
  'Upstream.connectTimeout': { default: '1s', range: [1, MINUTE] },
  'Upstream.healthCheck': {},
  'Upstream.outlierDetection': {},
  'HealthCheck.http': CHOICE,
  'HealthCheck.grpc': CHOICE,
  'HealthCheck.tcp': CHOICE,
  'HealthCheck.interval': { default: '5s', range: INTERVAL },
  'HealthCheck.timeout': { default: '1s', range: TIMEOUT },
  'HealthCheck.healthyThreshold': { default: '1', range: THRESHOLD },
  'HealthCheck.unhealthyThreshold': { default: '3', range: THRESHOLD },
  'OutlierDetection.consecutiveErrors': { default: '5', range: [1, 1_000] },
  'OutlierDetection.interval': { default: '10s', range: INTERVAL },
  'OutlierDetection.baseEjectionTime': { default: '30s', range: [100, 24 * HOUR] },
  'OutlierDetection.maxEjectionPercent': { default: '50', range: [1, 100] },

  'Notification.name': { required: 'write a name for the receiver, such as chat', text: format.nameFormat },
  'Notification.url': {
    required: 'write the address that events are posted to, such as https://hooks.example.com/switchyard',
    text: httpUrl,
  },
  'Notification.events': { size: [0, 50], unique: 'value', text: format.eventAction },

  ...DELEGATE_RULES,
  ...KUBERNETES_RULES,
  ...ROLLOUT_RULES,
  ...VERIFICATION_RULES,
  ...WATCHER_RULES,
};

/** A field as the table names it; a descriptor of the proto is one. */
export interface RuledField {
  readonly jsonName: string;
  readonly parent: { readonly name: string };
}

/** The rule of a field. Throws where the proto has a field that the table lacks. */
export function ruleOf(field: RuledField): FieldRule {
  const key = `${field.parent.name}.${field.jsonName}`;
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
  if (rule === undefined) throw new Error(`src/spec/rules.ts has no rule for ${key}`);
  return rule;
}

/** Every key of the table, for the test that it matches the proto. */
export const RULED_FIELDS: readonly string[] = Object.keys(RULES);
