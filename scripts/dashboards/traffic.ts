/** The dashboard of traffic by version, mostly from the proxies' own statistics. */
import type { Dashboard, Row } from './dashboard.ts';
import { lines, stacked, stat } from './panels.ts';
import { answersOfClass, ofService, ofVersion, percentOf, perVersion, quantile, rate } from './queries.ts';

const VERSION = '{{service}} {{version}}';
const requests = perVersion(rate(ofVersion('envoy_cluster_upstream_rq_total')));
const latency = (share: number): string =>
  quantile(share, ofVersion('envoy_cluster_upstream_rq_time_bucket'), 'service', 'version');

const glance: Row = {
  title: 'At a glance',
  panels: [
    stat({
      title: 'Weights',
      description: 'Share of the default traffic that each version was given.',
      unit: 'percent',
      width: 6,
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_version_weight_percent')})`,
          legend: VERSION,
        },
      ],
    }),
    stat({
      title: 'Share of all requests',
      description: 'Share of the requests that each version really got, pinned ones included.',
      unit: 'percent',
      width: 6,
      decimals: 1,
      queries: [
        {
          expr: `100 * ${requests} / on (service) group_left () sum by (service) (${rate(ofVersion('envoy_cluster_upstream_rq_total'))})`,
          legend: VERSION,
        },
      ],
    }),
    stat({
      title: 'Success',
      description: 'Share of the requests that were not answered with 5xx.',
      unit: 'percent',
      width: 6,
      decimals: 2,
      queries: [{ expr: `100 - ${percentOf(answersOfClass(5), requests)}`, legend: VERSION }],
    }),
    stat({
      title: 'Ready endpoints',
      description: 'Endpoints that can take requests now. A primary with 0 answers 503.',
      unit: 'none',
      width: 6,
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_version_ready_endpoints')})`,
          legend: VERSION,
        },
      ],
    }),
  ],
};

const red: Row = {
  title: 'Requests, errors, durations',
  panels: [
    stacked({
      title: 'Requests',
      description: 'Requests each second that proxies sent to each version, retries included.',
      unit: 'reqps',
      width: 12,
      min: 0,
      queries: [{ expr: requests, legend: VERSION }],
    }),
    lines({
      title: 'Errors',
      description: 'Share of the requests that were answered with 5xx.',
      unit: 'percent',
      width: 12,
      min: 0,
      queries: [{ expr: percentOf(answersOfClass(5), requests), legend: VERSION }],
    }),
    lines({
      title: 'Answers 4xx',
      description:
        'Share of the requests that a version answered with 4xx. Refusals by the proxy are not in it.',
      unit: 'percent',
      width: 12,
      min: 0,
      queries: [{ expr: percentOf(answersOfClass(4), requests), legend: VERSION }],
    }),
    lines({
      title: 'Open requests and streams',
      description: 'Requests that have begun and not ended. Streams that last for hours are in it.',
      unit: 'none',
      width: 12,
      min: 0,
      queries: [{ expr: perVersion(ofVersion('envoy_cluster_upstream_rq_active')), legend: VERSION }],
    }),
    ...([0.5, 0.95, 0.99] as const).map((share) =>
      lines({
        title: `Latency, ${share * 100}th percentile`,
        description: 'Time until the answer was complete, as proxies measured it, from histogram buckets.',
        unit: 'ms',
        width: 8,
        min: 0,
        queries: [{ expr: latency(share), legend: VERSION }],
      }),
    ),
  ],
};

const connections: Row = {
  title: 'Connections',
  panels: [
    lines({
      title: 'Connections that failed',
      description: 'Attempts to connect to an instance that failed, each second.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        { expr: perVersion(rate(ofVersion('envoy_cluster_upstream_cx_connect_fail'))), legend: VERSION },
      ],
    }),
    lines({
      title: 'Retries',
      description: 'Requests that were sent again, each second; only those that cannot have begun are.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [{ expr: perVersion(rate(ofVersion('envoy_cluster_upstream_rq_retry'))), legend: VERSION }],
    }),
    lines({
      title: 'Cut by instances',
      description: 'Requests and streams that an instance reset, each second.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [{ expr: perVersion(rate(ofVersion('envoy_cluster_upstream_rq_rx_reset'))), legend: VERSION }],
    }),
    lines({
      title: 'Answers of the proxies themselves',
      description:
        'Refusals (409 for a version that is not active, 503 without a ready endpoint) and other answers that no instance gave, by listener.',
      unit: 'reqps',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `sum by (envoy_http_conn_manager_prefix) (${rate('envoy_http_rq_direct_response{job=~"$proxy_job",envoy_http_conn_manager_prefix!="admin"}')})`,
          legend: '{{envoy_http_conn_manager_prefix}}',
        },
      ],
    }),
    lines({
      title: 'Copies',
      description: 'Copies of default requests that a candidate gets while it is verified (mirroring).',
      unit: 'reqps',
      width: 12,
      min: 0,
      noValue: 'nothing is mirrored',
      queries: [
        {
          expr: `sum by (service, mirror) (${rate('envoy_cluster_upstream_rq_total{job=~"$proxy_job",service=~"$service",mirror!=""}')})`,
          legend: '{{service}} {{mirror}}',
        },
      ],
    }),
  ],
};

const instances: Row = {
  title: 'Instances',
  panels: [
    stacked({
      title: 'Instances by state',
      description: 'Instances of all versions, as the runtime sees them.',
      unit: 'none',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `max by (service, version, state) (${ofService('switchyard_instances')})`,
          legend: '{{service}} {{version}} {{state}}',
        },
      ],
    }),
    lines({
      title: 'Restarts',
      description: 'Restarts of the instances that are known now.',
      unit: 'none',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `max by (service, version) (${ofService('switchyard_instance_restarts')})`,
          legend: VERSION,
        },
      ],
    }),
  ],
};

export const traffic: Dashboard = {
  name: 'traffic-by-version',
  title: 'Switchyard / Traffic by version',
  description: 'Requests, errors and durations of each version, and what its connections and instances do.',
  variables: ['job', 'proxy_job', 'service'],
  rows: [glance, red, connections, instances],
};
