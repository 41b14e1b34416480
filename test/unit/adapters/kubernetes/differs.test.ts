// Whether an object is as it was applied: what the server and others have added does not count.
import { describe, expect, test } from 'vitest';
import { holds, strangersIn } from '../../../../src/adapters/kubernetes/runtime/differs.ts';

describe('an object holds what is wanted', () => {
  test.each([
    ['with defaults beside it', { a: 1 }, { a: 1, b: 2 }, true],
    ['not with another value', { a: 1 }, { a: 2 }, false],
    ['not without it', { a: 1 }, {}, false],
    ['without what is empty', { a: {}, b: [] }, {}, true],
    ['not with another type', { a: [1] }, { a: { 0: 1 } }, false],
    ['not with a list where a mapping is wanted', { a: { 0: 1 } }, { a: [1] }, false],
    [
      'in a list by the names of its elements',
      [{ name: 'a', x: 1 }],
      [{ name: 'b' }, { name: 'a', x: 1, y: 2 }],
      true,
    ],
    ['not where a named element is away', [{ name: 'a' }], [{ name: 'b' }], false],
    ['in a list of plain values by their order', ['a', 'b'], ['a', 'b'], true],
    ['not in another order', ['a', 'b'], ['b', 'a'], false],
    ['not in a longer list of plain values', ['a'], ['a', 'b'], false],
    ['not as text where a number is wanted', { a: 1 }, { a: '1' }, false],
    ['not as nothing', { a: { b: 1 } }, { a: null }, false],
  ])('%s', (_, wanted, found, is) => {
    expect(holds(wanted, found)).toBe(is);
  });
});

test('whoever has written in the Pods of a Deployment beside us is found, whoever restarts them is not', () => {
  const managedFields = [
    { manager: 'switchyard', fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': {} } } } },
    { manager: 'switchyard-handover', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    {
      manager: 'kubectl-set',
      fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': {} } } } },
    },
    { manager: 'kubectl-rollout', fieldsV1: { 'f:spec': { 'f:template': { 'f:metadata': {} } } } },
    { manager: 'kube-controller-manager', subresource: 'status', fieldsV1: { 'f:status': {} } },
  ];
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', managedFields } };
  expect(strangersIn(object).map(({ manager }) => manager)).toEqual(['kubectl-set']);
});
