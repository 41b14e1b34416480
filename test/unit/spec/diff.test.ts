import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { VersionedService } from '../../../src/model/spec.ts';
import { diffServices } from '../../../src/spec/diff.ts';
import { parseServices } from '../../../src/spec/parse.ts';

const example = readFileSync('examples/specs/manager.yaml', 'utf8');

/** The example with pieces of its text replaced. */
function manager(...changes: readonly (readonly [from: string, to: string])[]): VersionedService {
  const text = changes.reduce((before, [from, to]) => {
    expect(before).toContain(from);
    return before.replace(from, to);
  }, example);
  const { services, problems } = parseServices({ file: 'a.yaml', text });
  expect(problems).toEqual([]);
  const [parsed] = services;
  if (parsed === undefined) throw new Error('no service');
  return parsed.spec;
}

describe('the difference of two specs', () => {
  test('names waves of delegates by their own name, so that one more changes no other', () => {
    const waves = (...names: readonly string[]) =>
      manager([
        '  drain:',
        `  delegates: {grpc: {}, waves: [${names.map((name) => `{name: ${name}, groups: [${name}]}`).join(', ')}]}\n  drain:`,
      ]);
    const fields = diffServices(waves('canary', 'rest'), waves('first', 'canary', 'rest')).map(
      ({ field }) => field,
    );
    expect(fields.length).toBeGreaterThan(0);
    expect(fields.filter((field) => !field.startsWith('spec.delegates.waves[first]'))).toEqual([]);
  });

  test('names each field with its text before and after', () => {
    const after = manager(
      ['version: v2', 'version: v1'],
      ['steps: [10, 50, 100]', 'steps: [100]'],
      ['port: 10000', 'port: 10001'],
    );
    expect(diffServices(manager(), after)).toEqual([
      { field: 'spec.version', before: 'v2', after: 'v1' },
      { field: 'spec.listeners[gateway].port', before: '10000', after: '10001' },
      { field: 'spec.traffic.steps', before: '[10,50,100]', after: '[100]' },
    ]);
  });

  test('compares elements by their name, so that taking the first away changes no other', () => {
    const after = manager([
      '        - name: v1\n          addresses: ["127.0.0.1:9001", "127.0.0.1:9002"]\n',
      '',
    ]);
    expect(diffServices(manager(), after)).toEqual([
      {
        field: 'spec.runtime.endpoints.versions[v1]',
        before: '{"name":"v1","addresses":["127.0.0.1:9001","127.0.0.1:9002"]}',
        after: '',
      },
    ]);
  });

  test('shows a choice that changed as one part that went and one that came', () => {
    const after = manager([
      '  drain:\n    http:\n      fencePath: /switchyard/drain\n      openWorkPath: /switchyard/work\n',
      '',
    ]);
    expect(diffServices(manager(), after)).toEqual([
      {
        field: 'spec.drain.http',
        before: '{"fencePath":"/switchyard/drain","openWorkPath":"/switchyard/work"}',
        after: '',
      },
      { field: 'spec.drain.none', before: '', after: '{}' },
    ]);
  });

  test('compares checks by their name, and headers of a cohort as a whole, since they may share one', () => {
    const rollout = (limit: number, value: string): readonly [string, string] => [
      '  traffic:\n    steps: [10, 50, 100]\n',
      `  traffic:
    cohort: {headers: [{name: x-beta, value: "1"}, {name: x-beta, value: "${value}"}]}
  verification:
    prometheus: {url: "http://127.0.0.1:9090"}
    checks: [{name: errors, builtin: {metric: SuccessRate}, limit: {min: ${limit}}}]
`,
    ];
    expect(diffServices(manager(rollout(99, 'yes')), manager(rollout(98.5, 'no')))).toEqual([
      {
        field: 'spec.traffic.cohort.headers',
        before: '[{"name":"x-beta","value":"1"},{"name":"x-beta","value":"yes"}]',
        after: '[{"name":"x-beta","value":"1"},{"name":"x-beta","value":"no"}]',
      },
      { field: 'spec.verification.checks[errors].limit.min', before: '99', after: '98.5' },
    ]);
  });

  test('is empty where only the way of writing differs', () => {
    const same = manager(['consecutiveErrors: 5', 'interval: 10000ms']);
    expect(diffServices(manager(), same)).toEqual([]);
  });

  test('with nothing is the whole document', () => {
    expect(diffServices(undefined, manager()).map(({ field, before }) => [field, before])).toEqual([
      ['', ''],
    ]);
  });
});
