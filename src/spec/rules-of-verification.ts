/**
 * The rules of the fields of spec.verification: part of the table in rules.ts. Defaults that depend on what a check
 * measures are filled in by to-model-verification.ts.
 */
import { CHOICE, type FieldRule, type FieldRules, HOUR, INTERVAL, TIMEOUT, WEEK } from './field-rule.ts';
import * as format from './text-formats.ts';
import { httpUrl } from './url.ts';

const ARGUMENTS: FieldRule = { size: [0, 100], keys: format.argumentName };
const TOLERATED: readonly [number, number] = [0, 1_000];
const STATUS: readonly [number, number] = [100, 599];

export const VERIFICATION_RULES: FieldRules = {
  'Verification.prometheus': {},
  'Verification.checks': { size: [0, 100], unique: 'name' },
  'Verification.passScore': { default: '100', range: [1, 100] },
  'Verification.marginalScore': { range: [0, 100] },
  'Verification.soak': { default: '5m', range: [0, WEEK] },

  'Prometheus.url': { required: 'write its address, such as http://127.0.0.1:9090', text: httpUrl },
  'Prometheus.scrapeInterval': { default: '15s', range: INTERVAL },
  'Prometheus.timeout': { default: '10s', range: TIMEOUT },

  'Check.name': { required: 'write a name for the check, such as errors', text: format.nameFormat },
  'Check.builtin': CHOICE,
  'Check.query': CHOICE,
  'Check.ratio': CHOICE,
  'Check.histogram': CHOICE,
  'Check.http': CHOICE,
  'Check.grpc': CHOICE,
  'Check.command': CHOICE,
  'Check.webhook': CHOICE,
  'Check.limit': {},
  'Check.compare': {},
  'Check.at': { size: [1, 3], unique: 'value' },
  'Check.interval': { range: [100, 24 * HOUR] },
  'Check.count': { range: [1, 1_000] },
  'Check.initialDelay': { default: '0s', range: [0, 24 * HOUR] },
  'Check.failureLimit': { default: '0', range: TOLERATED },
  'Check.inconclusiveLimit': { default: '0', range: TOLERATED },
  'Check.consecutiveErrorLimit': { default: '4', range: TOLERATED },
  'Check.minimumSamples': { range: [1, 1_000_000] },
  'Check.noData': { default: 'Hold' },
  'Check.critical': { default: 'true' },
  'Check.dryRun': { default: 'false' },
  'Check.weight': { default: '1', range: [1, 1_000] },

  'BuiltinCheck.metric': { required: 'write which metric, such as SuccessRate' },
  'QueryCheck.promql': { required: 'write a query that answers one number', text: format.notBlank },
  'QueryCheck.args': ARGUMENTS,
  'RatioCheck.events': {
    required: `write the counter of events, such as 'errors_total{version="{{version}}"}'`,
    text: format.notBlank,
  },
  'RatioCheck.total': {
    required: `write the counter of all, such as 'requests_total{version="{{version}}"}'`,
    text: format.notBlank,
  },
  'RatioCheck.args': ARGUMENTS,
  'HistogramCheck.buckets': {
    required: `write the buckets, such as 'task_seconds_bucket{version="{{version}}"}'`,
    text: format.notBlank,
  },
  'HistogramCheck.quantile': { required: 'write which quantile, such as 0.99', range: [0.001, 0.999] },
  'HistogramCheck.args': ARGUMENTS,
  'HttpCheck.path': {
    required: 'write the path that is asked for, such as /ready',
    text: format.requestPath,
  },
  'HttpCheck.method': { default: 'GET', text: format.httpMethod },
  'HttpCheck.headers': { size: [0, 50], keys: format.requestHeader, text: format.headerValue },
  'HttpCheck.statuses': { default: '{from: 200, to: 299}' },
  'HttpCheck.timeout': { default: '5s', range: TIMEOUT },
  'StatusRange.from': { required: 'write the first status that passes, such as 200', range: STATUS },
  'StatusRange.to': { required: 'write the last status that passes, such as 299', range: STATUS },
  'GrpcCheck.service': { default: '""', text: format.grpcHealthService },
  'GrpcCheck.timeout': { default: '5s', range: TIMEOUT },
  'CommandCheck.command': {
    required: 'write the program and its arguments as a list, such as [./smoke-test, "${address}"]',
    size: [1, 100],
    text: format.systemText,
  },
  'CommandCheck.timeout': { default: '30s', range: [10, HOUR] },
  'WebhookCheck.url': {
    required: 'write the address that is asked, such as https://gate.example.com/ready',
    text: httpUrl,
  },
  'WebhookCheck.timeout': { default: '10s', range: TIMEOUT },

  'Limit.min': {},
  'Limit.max': {},
  'Compare.bad': {},
  'Compare.tolerance': { range: [0, 1_000] },
  'Compare.falseAlarm': { default: '0.05', range: [0.0001, 0.5] },
  'Compare.variance': { default: 'false' },
};
