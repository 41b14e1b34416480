/**
 * What a field must be, beyond its type in the proto: whether it is required, its default, range, pattern and size.
 * One table, keyed by message and field, which the parser reads. A test checks that it names every field of the
 * proto and that docs/spec.md and the comments of the proto say the same.
 */

import { ipAddress, socketAddress } from './address.ts';
import * as format from './text-formats.ts';
import { exactly, type TextFormat } from './text-formats.ts';

/** The rule of one field. A field that is neither required nor has a default may be absent. */
export interface FieldRule {
  /** The field must be given; the text says what to write. */
  readonly required?: string;
  /** What is read where the field is absent: YAML text, as a user would write it. */
  readonly default?: string;
  /** Both ends are allowed; in milliseconds for a duration. Of each element, for a list. */
  readonly range?: readonly [min: number, max: number];
  /** Of each element, for a list or a map. */
  readonly text?: TextFormat;
  /** Of each key of a map. */
  readonly keys?: TextFormat;
  /** How many elements a list or a map may have. Every list and map has such a limit. */
  readonly size?: readonly [min: number, max: number];
  /** Elements must differ: as a whole, or in their field of this name. */
  readonly unique?: 'value' | 'name';
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const API_VERSION = 'switchyard.dev/v1alpha1';
export const KIND = 'VersionedService';

const PORT: readonly [number, number] = [1, 65_535];
const THRESHOLD: readonly [number, number] = [1, 100];
const INTERVAL: readonly [number, number] = [100, HOUR];
const TIMEOUT: readonly [number, number] = [10, 10 * MINUTE];
const LISTED_VERSIONS: FieldRule = { size: [0, 100], unique: 'name' };
const SCOPE_LIST: FieldRule = { size: [0, 100], unique: 'value' };
/** Present as a member of a oneof, or not at all. */
const CHOICE: FieldRule = {};

const RULES: Readonly<Record<string, FieldRule>> = {
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
    required: 'write what runs the instances: {endpoints: ...} or {processes: ...}',
  },
  'VersionedServiceSpec.traffic': { default: '{}' },
  'VersionedServiceSpec.upstream': { default: '{}' },
  'VersionedServiceSpec.drain': { default: '{none: {}}' },

  'Listener.name': { required: 'write the name of the listener, such as gateway', text: format.nameFormat },
  'Listener.address': { default: '127.0.0.1', text: ipAddress },
  'Listener.port': { default: '10000', range: PORT },
  'Listener.domains': { default: '["*"]', size: [1, 100], text: format.domain, unique: 'value' },

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

  'Traffic.steps': { default: '[100]', size: [1, 20], range: [1, 100] },
  'Traffic.retries': { default: '2', range: [0, 10] },

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

  'Drain.http': CHOICE,
  'Drain.none': CHOICE,
  'HttpDrain.fencePath': {
    required: 'write the path of the fence, such as /switchyard/drain',
    text: format.requestPath,
  },
  'HttpDrain.openWorkPath': {
    required: 'write the path of the open work, such as /switchyard/work',
    text: format.requestPath,
  },
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
