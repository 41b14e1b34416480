import { describe, expect, test } from 'vitest';
import type { VersionedService } from '../../../src/model/spec.ts';
import { parseServices } from '../../../src/spec/parse.ts';
import { checkTogether } from '../../../src/spec/together.ts';

const ENDPOINTS = '{endpoints: {file: versions.yaml}}';

function service(name: string, listeners: string, runtime = ENDPOINTS, more = ''): VersionedService {
  const text = [
    'apiVersion: switchyard.dev/v1alpha1',
    'kind: VersionedService',
    `metadata: {name: ${name}}`,
    `spec: {version: v1, listeners: ${listeners}, pin: {allow: {paths: [/a]}}, runtime: ${runtime}${more}}`,
  ].join('\n');
  const { services, problems } = parseServices({ file: 'a.yaml', text });
  expect(problems).toEqual([]);
  const [parsed] = services;
  if (parsed === undefined) throw new Error('no service');
  return parsed.spec;
}

const processes = (from: number, to: number) =>
  `{processes: {command: [a], ports: {from: ${from}, to: ${to}}}}`;

describe('services on one controller', () => {
  test('may share a listener when they agree on it and divide its domains', () => {
    const manager = service('manager', '[{name: gateway, domains: [manager.example.com]}]');
    const worker = service('worker', '[{name: gateway, domains: ["*.example.com", "*"]}]');
    expect(checkTogether([manager, worker])).toEqual([]);
  });

  test('must agree on the address and port of a listener that they share', () => {
    const manager = service('manager', '[{name: gateway, domains: [a.example.com]}]');
    const worker = service(
      'worker',
      '[{name: gateway, address: 10.0.0.1, port: 80, domains: [b.example.com]}]',
    );
    expect(checkTogether([manager, worker])).toEqual([
      {
        severity: 'error',
        service: 'worker',
        field: 'spec.listeners[0].address',
        message:
          '"10.0.0.1" must be "127.0.0.1" as for service manager on the same listener gateway, or name another listener',
      },
      {
        severity: 'error',
        service: 'worker',
        field: 'spec.listeners[0].port',
        message:
          '80 must be 10000 as for service manager on the same listener gateway, or name another listener',
      },
    ]);
  });

  test('must not claim one domain of one listener twice', () => {
    const manager = service('manager', '[{name: gateway, domains: [a.example.com, "*"]}]');
    const worker = service('worker', '[{name: gateway, domains: [b.example.com, "*"]}]');
    expect(checkTogether([manager, worker])).toEqual([
      {
        severity: 'error',
        service: 'worker',
        field: 'spec.listeners[0].domains[1]',
        message:
          '"*" belongs to service manager on the same listener gateway: give one of them other domains, or another listener',
      },
    ]);
  });

  test('must not open one address and port for two listeners, of one service or of two', () => {
    const manager = service('manager', '[{name: one}, {name: two}]');
    const worker = service('worker', '[{name: three}]');
    expect(
      checkTogether([manager, worker]).map(({ service: owner, field, severity }) => [owner, field, severity]),
    ).toEqual([
      ['manager', 'spec.listeners[1].port', 'error'],
      ['worker', 'spec.listeners[0].port', 'error'],
      ['worker', 'spec.listeners[0].port', 'error'],
    ]);
  });

  test('are warned of a port that all addresses and one address claim, since two proxies may open them', () => {
    const all = service('all', '[{name: one, address: 0.0.0.0}]');
    const ipv6 = service('ipv6', '[{name: two, address: "::"}]');
    const one = service('one', '[{name: three, address: 10.0.0.1}]');
    expect(checkTogether([all, ipv6, one])).toEqual([
      {
        severity: 'warning',
        service: 'one',
        field: 'spec.listeners[0].port',
        message:
          '10000 overlaps with listener one of service all, which has 0.0.0.0:10000: one proxy cannot open both',
      },
    ]);
  });

  test('must not give their processes the same ports', () => {
    const manager = service('manager', '[{name: one}]', processes(9000, 9099));
    const worker = service('worker', '[{name: two, port: 10001}]', processes(9099, 9199));
    const third = service('third', '[{name: three, port: 10002}]', processes(9200, 9299));
    expect(checkTogether([manager, worker, third])).toEqual([
      {
        severity: 'error',
        service: 'worker',
        field: 'spec.runtime.processes.ports',
        message: '9099 to 9199 overlaps with 9000 to 9099 of service manager: choose ports of its own',
      },
    ]);
  });

  test('are warned of a listener within the ports of processes, once for a shared listener', () => {
    const manager = service(
      'manager',
      '[{name: gateway, domains: [a.example.com]}]',
      processes(9990, 10_010),
    );
    const worker = service('worker', '[{name: gateway, domains: [b.example.com]}]');
    expect(checkTogether([manager, worker])).toEqual([
      {
        severity: 'warning',
        service: 'manager',
        field: 'spec.runtime.processes.ports',
        message:
          '9990 to 10010 holds port 10000 of listener gateway: an instance could take it before the proxy does',
      },
    ]);
  });
});

describe('services of one group', () => {
  const member = (name: string, traffic: string, group = 'pipeline'): VersionedService => {
    const spec = service(name, `[{name: ${name}}]`, ENDPOINTS, `, group: ${group}, traffic: ${traffic}`);
    return { ...spec, listeners: [] };
  };

  test('have the same steps', () => {
    const [one, other] = [member('manager', '{steps: [10, 100]}'), member('worker', '{steps: [100]}')];
    expect(checkTogether([one, other])).toEqual([
      {
        severity: 'error',
        service: 'worker',
        field: 'spec.traffic.steps',
        message: '100 must be 10, 100 as for service manager of the same group pipeline: they move together',
      },
    ]);
    expect(checkTogether([one, { ...other, traffic: one.traffic }])).toEqual([]);
  });

  test('have all a cohort, or none', () => {
    const cohort = '{cohort: {headers: [{name: x-beta, value: a}]}}';
    const problems = checkTogether([member('manager', '{}'), member('worker', cohort)]);
    expect(problems.map(({ message }) => message)).toEqual([
      'a cohort, 100 must be 100 as for service manager of the same group pipeline: they move together',
    ]);
  });

  test('are at least two; another group is none of their business', () => {
    const problems = checkTogether([
      member('manager', '{}'),
      member('worker', '{steps: [10, 100]}', 'other'),
    ]);
    expect(problems).toMatchObject([
      { severity: 'warning', service: 'manager', field: 'spec.group' },
      { severity: 'warning', service: 'worker', field: 'spec.group' },
    ]);
  });
});
