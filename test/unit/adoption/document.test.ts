// The VersionedService that an adoption writes is one that the controller takes, and says what ran before.
import { expect, test } from 'vitest';
import type { Chosen } from '../../../src/adoption/choose.ts';
import { documentOf } from '../../../src/adoption/document.ts';
import type { Autoscaler } from '../../../src/adoption/objects.ts';
import { parseServices } from '../../../src/spec/parse.ts';
import { deployment, service } from '../../support/kubernetes/adoptable.ts';

const WISH = { namespace: 'shop', version: 'v1' };

function documented(of: Partial<Chosen> = {}, autoscaler?: Autoscaler) {
  const one = of.service ?? service();
  const [port = { port: 80 }] = one.spec.ports ?? [];
  const chosen = { deployment: deployment(), service: one, port, hosts: [], ...of };
  const document = documentOf(chosen, autoscaler, WISH);
  const { services, problems } = parseServices({ file: 'adopted', text: JSON.stringify(document) });
  expect(problems).toEqual([]);
  return services[0]?.spec;
}

test('it names the Deployment as the template, the image of each version, the port and the hosts', () => {
  const spec = documented({ hosts: ['shop.example'] });
  expect(spec).toMatchObject({
    name: 'orders',
    version: 'v1',
    listeners: [
      {
        domains: [
          'orders',
          'orders.shop',
          'orders.shop.svc',
          'orders.shop.svc.cluster.local',
          'shop.example',
        ],
      },
    ],
    runtime: {
      pods: { kind: 'deployment', name: 'orders', images: { orders: 'registry.example/orders:${version}' } },
      port: 8080,
      replicas: 2,
    },
  });
});

test('an image whose tag is not the version stays as it is', () => {
  const of = { deployment: deployment({}, { container: { image: 'registry.example/orders@sha256:ab' } }) };
  expect(documented(of)?.runtime).toMatchObject({
    pods: { images: { orders: 'registry.example/orders@sha256:ab' } },
  });
});

test('an autoscaler becomes one for each version, a named port stays a name, and HTTP/2 is told', () => {
  const autoscaler: Autoscaler = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'orders' },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'orders' },
      maxReplicas: 9,
      metrics: [{ resource: { name: 'cpu', target: { averageUtilization: 70 } } }],
    },
  };
  const ports = [{ port: 80, targetPort: 'http', appProtocol: 'kubernetes.io/h2c' }];
  expect(documented({ service: service({ ports }) }, autoscaler)).toMatchObject({
    runtime: { port: 'http', autoscaling: { min: 1, max: 9, cpuPercent: 70 } },
    upstream: { protocol: 'Http2' },
  });
});
