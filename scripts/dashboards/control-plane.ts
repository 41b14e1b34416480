/** The dashboard of the controller itself: what it serves to proxies, and whether it is well. */
import { loop, processRow } from './controller-rows.ts';
import type { Dashboard, Row } from './dashboard.ts';
import { lines, nameStat, stacked, stat, yesOrNo } from './panels.ts';
import { controller, quantile, rate, withinRange } from './queries.ts';

const maximum = (metric: `switchyard_${string}`): string => `max(${controller(metric)})`;

const glance: Row = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Ready',
      description: 'Whether proxies are served: the state is loaded, and something was ever applied.',
      unit: 'none',
      width: 3,
      queries: [{ expr: `min(${controller('switchyard_ready')})`, legend: 'controller' }],
      mappings: yesOrNo(['ready', 'good'], ['not ready', 'bad']),
    }),
    nameStat({
      title: 'Release',
      description: 'The releases of Switchyard and Node.',
      unit: 'none',
      width: 3,
      queries: [
        {
          expr: `max by (version, node) (${controller('switchyard_build_info')})`,
          legend: '{{version}} on {{node}}',
        },
      ],
    }),
    stat({
      title: 'Proxies',
      description: 'Known proxies by state. Away: seen within the grace time, not connected.',
      unit: 'none',
      width: 6,
      queries: [{ expr: `sum by (state) (${controller('switchyard_proxies')})`, legend: '{{state}}' }],
    }),
    stat({
      title: 'Proxies that reject',
      description: 'Proxies that do not take what they are given. `switchyard get proxies` has their words.',
      unit: 'none',
      width: 3,
      redFrom: 1,
      queries: [{ expr: `sum(${controller('switchyard_proxies_rejecting')})`, legend: 'proxies' }],
    }),
    stat({
      title: 'Last round',
      description: 'Time since the last round of the service that waited longest. There is one each second.',
      unit: 's',
      width: 3,
      redFrom: 60,
      decimals: 0,
      queries: [
        {
          expr: `time() - min(${controller('switchyard_loop_last_round_timestamp_seconds')})`,
          legend: 'ago',
        },
      ],
    }),
    stat({
      title: 'Commits that failed',
      description:
        'Within the time shown. The disk is full or gone; changes are refused, proxies keep what they have.',
      unit: 'none',
      width: 3,
      redFrom: 1,
      decimals: 0,
      queries: [
        {
          expr: `sum(${withinRange(controller('switchyard_store_commits_total', 'result="failed"'))})`,
          legend: 'commits',
        },
      ],
    }),
    stat({
      title: 'Faults',
      description: 'Operations that failed by a fault of ours, within the time shown. The log has them.',
      unit: 'none',
      width: 3,
      redFrom: 1,
      decimals: 0,
      queries: [
        {
          expr: `sum(${withinRange(controller('switchyard_operations_total', 'result="Fault"'))})`,
          legend: 'operations',
        },
      ],
    }),
  ],
};

const xds: Row = {
  title: 'Proxies and xDS',
  panels: [
    lines({
      title: 'Convergence',
      description:
        'Time from a publication until every connected proxy acknowledged its routes: how long a flip takes.',
      unit: 's',
      width: 12,
      min: 0,
      queries: [
        {
          expr: quantile(0.5, controller('switchyard_publication_convergence_seconds_bucket')),
          legend: 'median',
        },
        {
          expr: quantile(0.99, controller('switchyard_publication_convergence_seconds_bucket')),
          legend: '99th percentile',
        },
      ],
    }),
    lines({
      title: 'Time to an ACK',
      description:
        'Time from writing a response to its acknowledgement, 99th percentile, by type of resource.',
      unit: 's',
      width: 12,
      min: 0,
      queries: [
        {
          expr: quantile(0.99, controller('switchyard_xds_acknowledgement_seconds_bucket'), 'type'),
          legend: '{{type}}',
        },
      ],
    }),
    lines({
      title: 'Publications behind',
      description: 'How many publications the connected proxy that is furthest behind has not acknowledged.',
      unit: 'none',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `${maximum('switchyard_publication')} - (${maximum('switchyard_proxies_oldest_publication')} > 0 or ${maximum('switchyard_publication')})`,
          legend: 'publications',
        },
      ],
    }),
    stacked({
      title: 'Proxies over time',
      description: 'Known proxies by kind and state.',
      unit: 'none',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (kind, state) (${controller('switchyard_proxies')})`,
          legend: '{{kind}} {{state}}',
        },
      ],
    }),
    lines({
      title: 'Rejections and refused streams',
      description: 'Responses that proxies rejected (NACK), and streams that the server ended, each second.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (type) (${rate(controller('switchyard_xds_rejections_total'))})`,
          legend: 'rejected {{type}}',
        },
        {
          expr: `sum by (code) (${rate(controller('switchyard_xds_streams_refused_total'))})`,
          legend: 'refused, gRPC status {{code}}',
        },
      ],
    }),
    lines({
      title: 'Pushes',
      description: 'Responses written to proxies each second, by type of resource.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        { expr: `sum by (type) (${rate(controller('switchyard_xds_pushes_total'))})`, legend: '{{type}}' },
      ],
    }),
    lines({
      title: 'Bytes pushed',
      description: 'Bytes of responses each second, by type of resource.',
      unit: 'Bps',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (type) (${rate(controller('switchyard_xds_pushed_bytes_total'))})`,
          legend: '{{type}}',
        },
      ],
    }),
    lines({
      title: 'Publications and connects',
      description: 'Publications of the routing table, and connects of proxies, each second.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum(${rate(controller('switchyard_publication_translation_seconds_count'))})`,
          legend: 'publications',
        },
        { expr: `sum(${rate(controller('switchyard_xds_connects_total'))})`, legend: 'connects' },
      ],
    }),
  ],
};

export const controlPlane: Dashboard = {
  name: 'control-plane',
  title: 'Switchyard / Control plane',
  description:
    'What the controller serves to proxies, how fast they take it, and whether the controller is well.',
  variables: ['job', 'service'],
  rows: [glance, xds, loop, processRow],
};
