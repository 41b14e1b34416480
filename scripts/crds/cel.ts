/**
 * Rules between the fields of one message in CEL: those of src/spec/message-rules.ts, for an API server. What is absent has
 * the default that the table of rules gives it, since the API server fills none in.
 */
import type { DescMessage } from '@bufbuild/protobuf';
import { BUILTIN_METRICS, isTrafficMetric } from '../../src/model/check.ts';
import { isDuration } from '../../src/spec/leaf.ts';
import { ruleOf } from '../../src/spec/rules.ts';
import type { CelRule } from './openapi.ts';

/** The rules of a message; none where there is nothing to say of its fields together. */
export function celOf(desc: DescMessage): readonly CelRule[] {
  return RULES[desc.name]?.((field) => valueOf(desc, field)) ?? [];
}

/** A field as an expression, with its default. */
type Value = (field: string) => string;

const ANSWERS = ['http', 'grpc', 'command', 'webhook'].map((kind) => `has(self.${kind})`).join(' || ');
const ASKS_PROMETHEUS = [
  ...['query', 'ratio', 'histogram'].map((kind) => `has(check.${kind})`),
  `(has(check.builtin) && check.builtin.metric in [${BUILTIN_METRICS.filter(isTrafficMetric)
    .map((name) => `'${name}'`)
    .join(', ')}])`,
].join(' || ');
const PIN_HEADER = "(has(self.pin.header) ? self.pin.header : 'x-delegate-version')";
const MARKER = "(has(self.pin.markerHeader) ? self.pin.markerHeader : 'x-delegate-pinned')";

const size = (list: string): string => `(has(${list}) ? size(${list}) : 0)`;

/** Written without defaults: the server cannot tell how long the text of a choice is. A word of CEL has underscores around it. */
const sameText = (field: string): string =>
  `has(one.${field}) == has(other.${field}) && (!has(one.${field}) || one.${field} == other.${field})`;
const isMesh = (parent: string): string => `(has(${parent}.kind) && ${parent}.kind == 'Service')`;
const SAME_PARENT = `one.name == other.name && ${isMesh('one')} == ${isMesh('other')} && ${sameText('__namespace__')}`;

const GATEWAY_API = 'self.runtime.kubernetes.gatewayApi';
/** All hosts of the route are among those of the scope, or none is: src/model/gateway-scope.ts. */
const fitsOneRoute = (scope: string): string =>
  `!has(${scope}.hosts) || size(${scope}.hosts) == 0 || (has(${GATEWAY_API}.hostnames) && size(${GATEWAY_API}.hostnames) > 0 && (${GATEWAY_API}.hostnames.all(one, one in ${scope}.hosts) || ${GATEWAY_API}.hostnames.all(one, !${scope}.hosts.exists(host, host == one || (one.startsWith('*.') && host.endsWith(one.substring(1)))))))`;

const RULES: Readonly<Record<string, (value: Value) => readonly CelRule[]>> = {
  Scope: () => [
    {
      rule: '(!has(self.everywhere) || self.everywhere) && (!has(self.nowhere) || self.nowhere)',
      message:
        'everywhere and nowhere may only be true: leave them out and list hosts, paths or grpcServices',
    },
    {
      rule: `[has(self.everywhere), has(self.nowhere), ${size('self.hosts')} + ${size('self.paths')} + ${size('self.grpcServices')} > 0].exists_one(way, way)`,
      message: 'needs one way to say where: everywhere, nowhere, or lists of hosts, paths and grpcServices',
    },
  ],
  EndpointsRuntime: () => [
    {
      rule: `${size('self.versions')} > 0 || has(self.file)`,
      message: 'needs versions, or a file that lists them',
    },
  ],
  PortRange: () => [{ rule: 'self.from <= self.to', message: 'to must not be below from', fieldPath: '.to' }],
  ProcessesRuntime: (value) => [
    {
      rule: `self.ports.to - self.ports.from + 1 >= ${value('instances')}`,
      message: 'ports are fewer than the instances of a version: widen the range',
      fieldPath: '.ports',
    },
  ],
  GatewayApi: () => [
    {
      rule: `self.parentRefs.all(one, self.parentRefs.exists_one(other, ${SAME_PARENT} && ${sameText('sectionName')}) && (has(one.sectionName) || self.parentRefs.exists_one(other, ${SAME_PARENT})))`,
      message: 'parentRefs must differ; where one parent is named twice, give each a sectionName of its own',
      fieldPath: '.parentRefs',
    },
  ],
  Autoscaling: (value) => [
    { rule: `${value('min')} <= self.max`, message: 'max must not be below min', fieldPath: '.max' },
  ],
  RestartBackoff: (value) => [
    { rule: `${value('initial')} <= ${value('max')}`, message: 'max must not be shorter than initial' },
  ],
  Upstream: () => [
    {
      rule: "!has(self.healthCheck) || !has(self.healthCheck.grpc) || (has(self.protocol) && self.protocol in ['Http2', 'SameAsClient'])",
      message:
        'healthCheck.grpc needs HTTP/2: set protocol to Http2 or SameAsClient, or check over http or tcp',
    },
  ],
  Traffic: (value) => [
    {
      rule: '!has(self.steps) || (self.steps.isSorted() && self.steps.all(one, self.steps.exists_one(other, other == one)) && self.steps[size(self.steps) - 1] == 100)',
      message: 'steps must rise, and the last one is the flip: 100',
      fieldPath: '.steps',
    },
    {
      rule: `!has(self.approvals) || self.approvals.all(approval, ${value('steps')}.exists(step, step == approval))`,
      message: 'approvals must be among the steps',
      fieldPath: '.approvals',
    },
  ],
  Cohort: () => [
    {
      rule: `${size('self.tenants')} + ${size('self.headers')} > 0`,
      message: 'chooses nobody: list tenants or headers, or leave it out',
    },
    {
      rule: '!has(self.headers) || self.headers.all(one, self.headers.exists_one(other, other.name == one.name && other.value == one.value))',
      message: 'headers must differ',
      fieldPath: '.headers',
    },
  ],
  Mirror: () => [
    {
      rule: `!has(self.methods) || size(self.methods) + ${size('self.grpcMethods')} > 0`,
      message: 'copies nothing: list methods or grpcMethods, or leave the mirror out',
    },
  ],
  Retention: (value) => [
    { rule: `${value('keep')} <= ${value('max')}`, message: 'max must not be below keep' },
  ],
  Delegates: () => [
    {
      rule: `!has(self.none) || ${size('self.waves')} == 0`,
      message:
        'waves need delegates: write grpc: {} or promql: {...} in place of none, or leave the waves out',
    },
    {
      rule: `!has(self.waves) || self.waves.all(wave, ${size('wave.groups')} > 0 || wave.name == self.waves[size(self.waves) - 1].name)`,
      message: 'only the last wave may have no groups: it takes all boxes that no other wave names',
      fieldPath: '.waves',
    },
  ],
  Verification: (value) => [
    {
      rule: `!has(self.marginalScore) || self.marginalScore <= ${value('passScore')}`,
      message: 'marginalScore must not be above passScore',
    },
    {
      rule: `has(self.prometheus) || !has(self.checks) || self.checks.all(check, !(${ASKS_PROMETHEUS}))`,
      message: 'checks ask Prometheus: write where it is, prometheus: {url: ...}',
    },
  ],
  Check: () => [
    {
      rule: `(${ANSWERS}) ? !has(self.limit) && !has(self.compare) : has(self.limit) || has(self.compare)`,
      message: 'a check that measures needs limit, compare or both; one that answers by itself has neither',
    },
    {
      rule: `(${ANSWERS}) || has(self.builtin) || !has(self.compare) || has(self.compare.bad)`,
      message: 'compare.bad is required here: write which direction is bad, Increase, Decrease or Either',
    },
  ],
  Limit: () => [
    { rule: 'has(self.min) || has(self.max)', message: 'bounds nothing: write min, max or both' },
    {
      rule: '!has(self.min) || !has(self.max) || self.min <= self.max',
      message: 'max must not be below min',
    },
  ],
  StatusRange: () => [{ rule: 'self.from <= self.to', message: 'to must not be below from' }],
  VersionedServiceSpec: () => [
    {
      rule: '!has(self.runtime.endpoints) || has(self.runtime.endpoints.file) || self.runtime.endpoints.versions.exists(one, one.name == self.version)',
      message: 'version is not listed in runtime.endpoints.versions: list it there, or give a file',
      fieldPath: '.version',
    },
    {
      rule: `${PIN_HEADER} != ${MARKER} && (!has(self.tenantKey) || !(self.tenantKey.header in [${PIN_HEADER}, ${MARKER}]))`,
      message: 'the headers of the pin, its marker and the tenant must differ',
    },
    {
      rule: `has(self.tenantKey) || !has(self.traffic) || !has(self.traffic.cohort) || ${size('self.traffic.cohort.tenants')} == 0`,
      message: 'traffic.cohort.tenants needs tenantKey: without it no request names its tenant',
    },
    {
      rule: `!has(self.traffic) || !has(self.traffic.cohort) || !has(self.traffic.cohort.headers) || self.traffic.cohort.headers.all(header, header.name != ${PIN_HEADER} && header.name != ${MARKER} && (!has(self.tenantKey) || header.name != self.tenantKey.header))`,
      message: 'headers of traffic.cohort must not be those of the pin or of the tenant',
    },
    {
      rule: `has(self.tenantKey) || !has(self.delegates) || has(self.delegates.none) || (has(self.delegates.onMissing) && self.delegates.onMissing != 'HoldBack')`,
      message: 'delegates.onMissing: HoldBack needs tenantKey; write tenantKey, or Wait, Proceed or Fail',
    },
    ...['self.pin.allow', 'self.pin.previewAllow', 'self.tenantKey.allow'].map((scope) => ({
      rule: `!has(self.runtime.kubernetes) || !has(${GATEWAY_API}) || ${scope === 'self.pin.allow' ? '' : `!has(${scope.replace('.allow', '')}) || `}${fitsOneRoute(scope)}`,
      message: `hosts of ${scope.replace('self.', '')} must be exactly those of runtime.kubernetes.gatewayApi.hostnames, or others: an HTTPRoute cannot say that a header counts on some of its hosts`,
    })),
    ...['drain', 'delegates'].map((part) => ({
      rule: `!has(self.${part}) || !has(self.${part}.promql) || has(self.${part}.promql.prometheus) || (has(self.verification) && has(self.verification.prometheus))`,
      message: `${part}.promql needs the address of a Prometheus: write prometheus: {url: ...} there or in verification`,
    })),
    {
      rule: `!has(self.verification) || !has(self.verification.checks) || self.verification.checks.all(check, !has(check.http) || !has(check.http.headers) || check.http.headers.all(name, name != ${PIN_HEADER} && name != ${MARKER}))`,
      message: 'probes carry the headers of the pin by themselves: leave them out of their headers',
    },
  ],
};

function valueOf(desc: DescMessage, name: string): string {
  const field = desc.fields.find(({ jsonName }) => jsonName === name);
  if (field === undefined) throw new Error(`${desc.typeName} has no field ${name}`);
  const text = ruleOf(field).default;
  if (text === undefined) throw new Error(`${desc.typeName}.${name} has no default`);
  const given = `self.${name}`;
  return isDuration(field)
    ? `(has(${given}) ? duration(${given}) : duration('${text}'))`
    : `(has(${given}) ? ${given} : ${text})`;
}
