/** What the controller does inside: rounds of its loop, commits, operations, webhooks, and its process. */
import type { Row } from './dashboard.ts';
import { lines } from './panels.ts';
import { controller, ofProcess, quantile, rate } from './queries.ts';

export const loop: Row = {
  title: 'Loop, store and operations',
  panels: [
    lines({
      title: 'Rounds',
      description: 'Rounds of the loop each second. Failed ones are tried again; the log says why.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (result) (${rate(controller('switchyard_loop_rounds_total'))})`,
          legend: '{{result}}',
        },
      ],
    }),
    lines({
      title: 'Duration of rounds, commits and translations',
      description:
        '99th percentiles: a round of the loop, a commit on the disk, a routing table turned into resources.',
      unit: 's',
      width: 8,
      min: 0,
      queries: [
        { expr: quantile(0.99, controller('switchyard_loop_round_seconds_bucket')), legend: 'round' },
        { expr: quantile(0.99, controller('switchyard_store_commit_seconds_bucket')), legend: 'commit' },
        {
          expr: quantile(0.99, controller('switchyard_publication_translation_seconds_bucket')),
          legend: 'translation',
        },
      ],
    }),
    lines({
      title: 'Store',
      description: 'Commits each second by result, and other writes that failed.',
      unit: 'ops',
      width: 8,
      min: 0,
      queries: [
        {
          expr: `sum by (result) (${rate(controller('switchyard_store_commits_total'))})`,
          legend: 'commit {{result}}',
        },
        {
          expr: `sum by (write) (${rate(controller('switchyard_store_write_failures_total'))})`,
          legend: '{{write}} failed',
        },
      ],
    }),
    lines({
      title: 'Operations',
      description: 'Calls of operators and pipelines each second by result; Fault is a fault of ours.',
      unit: 'ops',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `sum by (result) (${rate(controller('switchyard_operations_total'))})`,
          legend: '{{result}}',
        },
      ],
    }),
    lines({
      title: 'Time that operations took',
      description: '99th percentile by operation, refused ones included.',
      unit: 's',
      width: 12,
      min: 0,
      queries: [
        {
          expr: quantile(0.99, controller('switchyard_operation_seconds_bucket'), 'operation'),
          legend: '{{operation}}',
        },
      ],
    }),
    lines({
      title: 'Requests reported',
      description: 'Entries of access logs each second. Lost ones make reports say that figures are sampled.',
      unit: 'ops',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `sum by (result) (${rate(controller('switchyard_access_log_entries_total'))})`,
          legend: '{{result}}',
        },
      ],
    }),
    lines({
      title: 'Webhooks',
      description: 'Events for webhooks each second by what became of them.',
      unit: 'ops',
      width: 12,
      min: 0,
      queries: [
        {
          expr: `sum by (outcome) (${rate(controller('switchyard_webhook_deliveries_total'))})`,
          legend: '{{outcome}}',
        },
      ],
    }),
  ],
};

export const processRow: Row = {
  title: 'Process',
  panels: [
    lines({
      title: 'CPU',
      description: 'Seconds of CPU time used each second; the loop and the xDS server share one thread.',
      unit: 's',
      width: 8,
      min: 0,
      queries: [{ expr: rate(ofProcess('process_cpu_seconds_total')), legend: '{{instance}}' }],
    }),
    lines({
      title: 'Memory',
      description: 'Memory in use: resident, and the heap of Node.',
      unit: 'bytes',
      width: 8,
      min: 0,
      queries: [
        { expr: ofProcess('process_resident_memory_bytes'), legend: '{{instance}} resident' },
        { expr: ofProcess('nodejs_heap_size_used_bytes'), legend: '{{instance}} heap' },
      ],
    }),
    lines({
      title: 'Delay of the event loop',
      description: '99th percentile of how late the event loop of Node was. Pushes wait that long.',
      unit: 's',
      width: 8,
      min: 0,
      queries: [{ expr: ofProcess('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
    }),
  ],
};
