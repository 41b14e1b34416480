/**
 * Counters and times of the xDS server. The returned object has the methods that the server reports to; it is no more
 * than counting, since it runs within the push.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** https://grpc.io/docs/guides/status-codes/ */
const INTERNAL = 13;
const UNAVAILABLE = 14;

/** The types of resources that the server pushes, and the kinds of proxies: their series begin at zero. */
const TYPES = ['clusters', 'endpoints', 'listeners', 'routes'] as const;
const KINDS = ['envoy', 'grpc'] as const;
const PROTOCOLS = ['sotw', 'delta'] as const;

/** What the xDS server reports here. Times are milliseconds. */
export interface XdsMetrics {
  connected(proxy: { readonly kind: string; readonly protocol: string }): void;
  pushed(push: { readonly type: string; readonly bytes: number }): void;
  acknowledged(answer: { readonly type: string; readonly after: number }): void;
  rejected(answer: { readonly type: string }): void;
  refused(stream: { readonly code: number }): void;
  translated(publication: { readonly took: number; readonly resources: number }): void;
}

/** Registers the metrics. */
export function xdsMetrics(registry: Registry): XdsMetrics {
  const registers = [registry];
  const connects = new Counter({
    name: 'switchyard_xds_connects_total',
    help: 'Proxies that connected.',
    labelNames: ['kind', 'protocol'],
    registers,
  });
  const pushes = new Counter({
    name: 'switchyard_xds_pushes_total',
    help: 'Responses written to proxies.',
    labelNames: ['type'],
    registers,
  });
  const bytes = new Counter({
    name: 'switchyard_xds_pushed_bytes_total',
    help: 'Bytes of responses written to proxies.',
    labelNames: ['type'],
    registers,
  });
  const rejections = new Counter({
    name: 'switchyard_xds_rejections_total',
    help: 'Responses that a proxy rejected (NACK).',
    labelNames: ['type'],
    registers,
  });
  const acknowledgements = new Histogram({
    name: 'switchyard_xds_acknowledgement_seconds',
    help: 'Time from writing a response to its acknowledgement (ACK).',
    labelNames: ['type'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
    registers,
  });
  const refusals = new Counter({
    name: 'switchyard_xds_streams_refused_total',
    help: 'Streams that the server ended, by gRPC status code.',
    labelNames: ['code'],
    registers,
  });
  const translation = new Histogram({
    name: 'switchyard_publication_translation_seconds',
    help: 'Time to turn a routing table into resources; its count is the number of publications.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const resources = new Gauge({
    name: 'switchyard_publication_resources',
    help: 'Resources in the newest publication.',
    registers,
  });

  for (const type of TYPES) {
    for (const counter of [pushes, bytes, rejections]) counter.inc({ type }, 0);
    acknowledgements.zero({ type });
  }
  for (const kind of KINDS) for (const protocol of PROTOCOLS) connects.inc({ kind, protocol }, 0);
  // The two that clients meet in practice; further codes appear when they happen.
  for (const code of [UNAVAILABLE, INTERNAL]) refusals.inc({ code }, 0);

  return {
    connected: ({ kind, protocol }) => connects.inc({ kind, protocol }),
    pushed: ({ type, bytes: size }) => {
      pushes.inc({ type });
      bytes.inc({ type }, size);
    },
    acknowledged: ({ type, after }) => acknowledgements.observe({ type }, after / 1000),
    rejected: ({ type }) => rejections.inc({ type }),
    refused: ({ code }) => refusals.inc({ code }),
    translated: ({ took, resources: number }) => {
      translation.observe(took / 1000);
      resources.set(number);
    },
  };
}
