/** How a rollout went, over time: its states, steps and weights, and what the versions did meanwhile. */
import type { Row } from '../dashboard.ts';
import { codes, lines, stacked, stat, timeline } from '../panels.ts';
import {
  answersOfClass,
  each,
  ofService,
  ofVersion,
  percentOf,
  perVersion,
  quantile,
  rate,
  withinRange,
} from '../queries.ts';
import { STATES, STEPS, state, step } from './words.ts';

export const walk: Row = {
  title: 'Walk',
  panels: [
    timeline({
      title: 'State over time',
      description: 'The states that each rollout went through.',
      unit: 'none',
      width: 12,
      queries: [{ expr: state, legend: '{{service}}' }],
      mappings: codes(STATES, 'no rollout yet'),
    }),
    timeline({
      title: 'Step over time',
      description: 'The steps that each rollout went through.',
      unit: 'none',
      width: 12,
      queries: [{ expr: step, legend: '{{service}}' }],
      mappings: codes(STEPS, 'no rollout yet'),
    }),
    lines({
      title: 'Weight, set and actual',
      description:
        'Share of the default traffic that the candidate was given, and the share that proxies reported. They differ where few tenants make much of the traffic, or where a proxy is behind. Actual is missing where no listener reports (accessLog).',
      unit: 'percent',
      width: 12,
      min: 0,
      max: 100,
      queries: [
        { expr: each('switchyard_rollout_set_weight_percent'), legend: '{{service}} set' },
        { expr: each('switchyard_rollout_actual_weight_percent'), legend: '{{service}} actual' },
      ],
    }),
    stacked({
      title: 'Default traffic by version',
      description: 'Weights of the versions over time; they add up to 100 for each service.',
      unit: 'percent',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_version_weight_percent')})`,
          legend: '{{service}} {{version}}',
        },
      ],
    }),
  ],
};

export const requests: Row = {
  title: 'Requests by version',
  panels: [
    lines({
      title: 'Requests',
      description: 'Requests each second that proxies sent to each version, pinned ones included.',
      unit: 'reqps',
      width: 8,
      queries: [
        {
          expr: perVersion(rate(ofVersion('envoy_cluster_upstream_rq_total'))),
          legend: '{{service}} {{version}}',
        },
      ],
    }),
    lines({
      title: 'Errors',
      description: 'Share of the requests that were answered with 5xx.',
      unit: 'percent',
      width: 8,
      min: 0,
      queries: [
        {
          expr: percentOf(answersOfClass(5), perVersion(rate(ofVersion('envoy_cluster_upstream_rq_total')))),
          legend: '{{service}} {{version}}',
        },
      ],
    }),
    lines({
      title: 'Latency, 99th percentile',
      description: 'Time until the answer was complete, as proxies measured it.',
      unit: 'ms',
      width: 8,
      min: 0,
      queries: [
        {
          expr: quantile(0.99, ofVersion('envoy_cluster_upstream_rq_time_bucket'), 'service', 'version'),
          legend: '{{service}} {{version}}',
        },
      ],
    }),
  ],
};

export const history: Row = {
  title: 'History and drain',
  panels: [
    stat({
      title: 'Rollouts by outcome',
      description: 'Rollouts that ended within the time shown.',
      unit: 'none',
      width: 8,
      height: 6,
      decimals: 0,
      queries: [
        {
          expr: `sum by (outcome) (${withinRange(ofService('switchyard_rollouts_ended_total'))})`,
          legend: '{{outcome}}',
        },
      ],
    }),
    stat({
      title: 'Mean duration by outcome',
      description:
        'From the beginning of a rollout to its end, of those that ended since the controller started. All services: the durations are not kept by service.',
      unit: 's',
      width: 8,
      height: 6,
      noValue: 'none ended',
      queries: [
        {
          expr: 'sum by (outcome) (switchyard_rollout_duration_seconds_sum{job=~"$job"}) / sum by (outcome) (switchyard_rollout_duration_seconds_count{job=~"$job"})',
          legend: '{{outcome}}',
        },
      ],
    }),
    lines({
      title: 'Open work of versions that drain',
      description:
        'Work that began on a version and has not ended. Missing: nothing drains, or it is not known.',
      unit: 'none',
      width: 8,
      height: 6,
      min: 0,
      noValue: 'nothing drains',
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_version_open_work')})`,
          legend: '{{service}} {{version}}',
        },
      ],
    }),
  ],
};
