/** The example manager as a VersionedService whose Pods are real processes. */
import { join } from 'node:path';
import { execPath } from 'node:process';
import type { KubernetesObject } from '../../../../src/adapters/kubernetes/client/objects.ts';

const MANAGER = join(import.meta.dirname, '..', '..', '..', '..', 'examples', 'manager', 'main.ts');

/** Writes down in a Pod's log which requests have come to it. */
const ARRIVALS = join(import.meta.dirname, '..', '..', 'programs', 'arrivals.ts');

/** Its name. */
export const SERVICE = 'manager';

/** The version whose answers take too long: its latency is what a rollout notices. */
export const SLOW_VERSION = 'v3';

/** The weights of a rollout that verifies itself. */
export const STEPS: readonly number[] = [10, 50, 100];

/** How often Prometheus scrapes, in milliseconds. */
export const SCRAPE_INTERVAL_MS = 500;

export interface Wish {
  readonly version: string;
  readonly replicas?: number;
  /** Of each version, how many Pods the disruption budget lets go at once. */
  readonly maxUnavailable?: number;
  /** Further parts of the spec: `traffic`, `verification`, … */
  readonly more?: object;
}

export function managerObject(place: {
  readonly namespace: string;
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
  readonly wish: Wish;
}): KubernetesObject & { readonly spec: object } {
  const { namespace, listeners } = place;
  const { version, replicas = 2, maxUnavailable = 1, more = {} } = place.wish;
  return {
    apiVersion: 'switchyard.dev/v1alpha1',
    kind: 'VersionedService',
    metadata: { name: SERVICE, namespace },
    spec: {
      version,
      listeners: listeners.map((listener) => ({ address: '127.0.0.1', domains: ['*'], ...listener })),
      pin: { allow: { everywhere: true } },
      tenantKey: { header: 'x-tenant-id', allow: { everywhere: true } },
      upstream: { protocol: 'SameAsClient', connectTimeout: '1s' },
      drain: { http: { fencePath: '/switchyard/drain', openWorkPath: '/switchyard/work' } },
      runtime: { kubernetes: { port: 8080, replicas, maxUnavailable, template: { spec: podSpec() } } },
      ...more,
    },
  };
}

/** A rollout that looks at itself: does every Pod answer, and are answers fast enough, before and after the flip? */
export function verified(prometheus: string): object {
  return {
    traffic: { steps: STEPS },
    // Versions before the last good one stay, for the operator's way back.
    retention: { keep: 4, max: 6 },
    verification: {
      prometheus: { url: prometheus, scrapeInterval: `${SCRAPE_INTERVAL_MS}ms`, timeout: '2s' },
      soak: '3s',
      checks: [
        { name: 'smoke', http: { path: '/healthz' }, count: 1, interval: '1s' },
        {
          name: 'latency',
          builtin: { metric: 'LatencyP50' },
          limit: { max: 1_000 },
          at: ['Shift', 'Soak'],
          interval: '1500ms',
          count: 1,
          minimumSamples: 10,
        },
      ],
    },
  };
}

function podSpec(): object {
  const text = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return {
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'manager',
        image: 'manager:${version}',
        command: [
          execPath,
          `--import=${ARRIVALS}`,
          MANAGER,
          '--version=${version}',
          '--host=$(POD_IP)',
          '--port=8080',
          '--instance=$(POD_NAME)',
          '--grace=5000',
          `--bad-version=${SLOW_VERSION}`,
          '--delay-ms=2000',
        ],
        ports: [{ containerPort: 8080 }],
        env: [text('POD_IP', 'status.podIP'), text('POD_NAME', 'metadata.name')],
        readinessProbe: {
          httpGet: { path: '/healthz', port: 8080 },
          periodSeconds: 1,
          // A machine that is busy for a moment makes no Pod unready.
          failureThreshold: 3,
          timeoutSeconds: 2,
        },
        // Proxies hear of its end before it takes no connections any more.
        lifecycle: { preStop: { sleep: { seconds: 2 } } },
        resources: { requests: { cpu: '10m', memory: '16Mi' } },
      },
    ],
  };
}
