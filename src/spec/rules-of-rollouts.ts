/** The rules of the fields that say how default traffic moves, what stays, and how a version is emptied: part of the table in rules.ts. */
import { CHOICE, type FieldRules, HOUR, MINUTE, SECOND, WEEK } from './field-rule.ts';
import * as format from './text-formats.ts';
import { timeOfDay } from './time-of-day.ts';

export const ROLLOUT_RULES: FieldRules = {
  'Traffic.steps': { default: '[100]', size: [1, 20], range: [1, 100] },
  'Traffic.retries': { default: '2', range: [0, 10] },
  'Traffic.stepDuration': { default: '0s', range: [0, WEEK] },
  // Its default follows spec.verification: to-model-rollout.ts.
  'Traffic.promotion': {},
  'Traffic.approvals': { size: [0, 20], range: [1, 100], unique: 'value' },
  'Traffic.progressDeadline': { default: '10m', range: [SECOND, WEEK] },
  'Traffic.windows': { size: [0, 20] },
  'Traffic.cohort': {},
  'Traffic.mirror': {},

  'MaintenanceWindow.days': {
    default: '[Sunday, Monday, Tuesday, Wednesday, Thursday, Friday, Saturday]',
    size: [1, 7],
    unique: 'value',
  },
  'MaintenanceWindow.start': { required: 'write when it opens in UTC, such as "22:00"', text: timeOfDay },
  'MaintenanceWindow.duration': {
    required: 'write how long it stays open, such as 4h',
    range: [MINUTE, WEEK],
  },

  'Cohort.tenants': { size: [0, 1_000], unique: 'value', text: format.tenant },
  'Cohort.headers': { size: [0, 20] },
  'CohortHeader.name': { required: 'write the name of the header, such as x-beta', text: format.headerName },
  'CohortHeader.value': { required: 'write the whole value of the header', text: format.headerValue },

  'Mirror.percent': {
    required: 'write the percent of requests that are copied, such as 10',
    range: [1, 100],
  },
  'Mirror.methods': { default: '[GET, HEAD]', size: [0, 5], unique: 'value', text: format.mirrorMethod },
  'Mirror.grpcMethods': { size: [0, 100], unique: 'value', text: format.grpcMethod },

  'Retention.keep': { default: '2', range: [1, 20] },
  'Retention.max': { default: '3', range: [2, 20] },

  'Drain.http': CHOICE,
  'Drain.none': CHOICE,
  'Drain.grpc': CHOICE,
  'Drain.promql': CHOICE,
  'Drain.workflow': CHOICE,
  'HttpDrain.fencePath': {
    required: 'write the path of the fence, such as /switchyard/drain',
    text: format.requestPath,
  },
  'HttpDrain.openWorkPath': {
    required: 'write the path of the open work, such as /switchyard/work',
    text: format.requestPath,
  },
  'PromqlDrain.query': {
    required: `write the query of the open work, such as 'sum by (instance) (open_work{version="{{version}}"})'`,
    text: format.notBlank,
  },
  // Its default is spec.verification.prometheus: to-model-rollout.ts.
  'PromqlDrain.prometheus': {},
  'PromqlDrain.instanceLabel': { default: 'instance', text: format.labelName },
  'PromqlDrain.quietFor': { default: '1m', range: [0, 24 * HOUR] },
};
