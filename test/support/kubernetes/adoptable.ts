/** Objects of a namespace that could be adopted, for tests of what decides it: a Deployment, its Service, nothing else. */
import type { Found } from '../../../src/adoption/choose.ts';
import type { Around } from '../../../src/adoption/findings.ts';
import type { Deployment, Ingress, Service, ServicePort } from '../../../src/adoption/objects.ts';

const labels = { app: 'orders', tier: 'web' };

export function deployment(
  spec: Partial<Deployment['spec']> = {},
  {
    container = {},
    pod = {},
    ...rest
  }: { container?: object; pod?: object; name?: string; status?: object } = {},
): Deployment {
  const probe = { httpGet: { path: '/healthz', port: 8080 } };
  const containers = [
    { name: 'orders', image: 'registry.example/orders:v1', readinessProbe: probe, ...container },
  ];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: rest.name ?? 'orders', generation: 3 },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'orders' } },
      template: { metadata: { labels }, spec: { containers, ...pod } },
      ...spec,
    },
    status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, readyReplicas: 2, ...rest.status },
  };
}

export function service(spec: Partial<Service['spec']> = {}, name = 'orders'): Service {
  const ports: readonly ServicePort[] = [{ name: 'http', port: 80, targetPort: 8080 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { clusterIP: '10.96.0.7', selector: { app: 'orders' }, ports, ...spec },
  };
}

export function ingress(...backends: readonly (readonly [host: string, service: string])[]): Ingress {
  const rules = backends.map(([host, name]) => ({
    host,
    http: { paths: [{ backend: { service: { name, port: { number: 80 } } } }] },
  }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'front' },
    spec: { rules },
  };
}

export function found(more: Partial<Found> = {}): Found {
  return { deployments: [deployment()], services: [service()], ingresses: [], ...more };
}

export function around(more: Partial<Around> = {}): Around {
  return { services: [service()], pods: [], autoscalers: [], policies: [], ...more };
}
