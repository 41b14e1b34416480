// Which Deployment and Service belong together: what is not clear is refused with what was found, and never guessed.
import { describe, expect, test } from 'vitest';
import { choose, targetOf } from '../../../src/adoption/choose.ts';
import { NamespaceWorkError } from '../../../src/namespace-work/error.ts';
import { deployment, found, ingress, service } from '../../support/kubernetes/adoptable.ts';

const chosen = (target: string, more: Parameters<typeof found>[0] = {}, port?: string) =>
  choose(targetOf(target), found(more), port);

function refusal(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof NamespaceWorkError) return [error.message, ...error.hints];
    throw error;
  }
  throw new Error('it was not refused');
}

test('from any of the three the same two are found', () => {
  for (const target of ['deployment/orders', 'deployments.apps/orders', 'service/orders']) {
    const { deployment: one, service: other, port } = chosen(target);
    expect([one.metadata.name, other.metadata.name, port.port]).toEqual(['orders', 'orders', 80]);
  }
  const hosts = ingress(['shop.example', 'orders'], ['www.shop.example', 'orders']);
  expect(chosen('ingress/front', { ingresses: [hosts] })).toMatchObject({
    service: { metadata: { name: 'orders' } },
    hosts: ['shop.example', 'www.shop.example'],
  });
});

const twoPorts = [
  { name: 'http', port: 80, targetPort: 8080 },
  { name: 'metrics', port: 9100 },
];

describe('what is not clear is refused', () => {
  const cases: readonly (readonly [what: string, work: () => unknown, said: readonly unknown[]])[] = [
    [
      'a thing that cannot be adopted',
      () => targetOf('statefulset/orders'),
      [
        /"statefulset\/orders" names nothing that can be adopted/,
        /deployment\/NAME, service\/NAME or ingress\/NAME/,
      ],
    ],
    [
      'a name that is not there',
      () => chosen('deployment/order'),
      ['there is no deployment/order', 'there are: deployment/orders'],
    ],
    [
      'no Service',
      () => chosen('deployment/orders', { services: [service({ selector: { app: 'other' } }, 'other')] }),
      [
        /no Service selects the Pods of deployment\/orders, which have the labels app=orders,tier=web/,
        'service/other selects app=other',
      ],
    ],
    [
      'several Services',
      () =>
        chosen('deployment/orders', { services: [service(), service({ selector: { tier: 'web' } }, 'web')] }),
      [
        /2 Services select the Pods of deployment\/orders: say which/,
        /service\/orders selects app=orders/,
        /service\/web selects tier=web/,
      ],
    ],
    [
      'several Deployments',
      () =>
        chosen('service/orders', { deployments: [deployment(), deployment({}, { name: 'orders-canary' })] }),
      [/selects the Pods of 2 Deployments/, /deployment\/orders /, /deployment\/orders-canary/],
    ],
    [
      'no Deployment',
      () => chosen('service/orders', { deployments: [] }),
      [/service\/orders selects app=orders, and no Deployment has Pods with these labels/],
    ],
    [
      'several ports',
      () => chosen('service/orders', { services: [service({ ports: twoPorts })] }),
      [/has 2 ports: say with --port/, 'http: 80 to 8080', 'metrics: 9100 to 9100'],
    ],
    [
      'a port that is not there',
      () => chosen('service/orders', {}, '81'),
      ['service/orders has no port 81', 'http: 80 to 8080'],
    ],
    [
      'several backends',
      () => chosen('ingress/front', { ingresses: [ingress(['a.example', 'orders'], ['b.example', 'web'])] }),
      [/has 2 Services as backends: adopt them one by one/, 'adopt service/orders', 'adopt service/web'],
    ],
    [
      'no backend',
      () => chosen('ingress/front', { ingresses: [ingress()] }),
      [/has no Service as a backend/],
    ],
  ];
  for (const [what, work, said] of cases) {
    test(`such as ${what}`, () => {
      const expected = said.map((one) =>
        typeof one === 'string' ? one : (expect.stringMatching(one as RegExp) as string),
      );
      expect(refusal(work)).toEqual(expected);
    });
  }
});

test('a port is chosen by number or by name', () => {
  for (const port of ['9100', 'metrics']) {
    const services = [service({ ports: twoPorts })];
    expect(chosen('service/orders', { services }, port).port).toEqual(twoPorts[1]);
  }
});
