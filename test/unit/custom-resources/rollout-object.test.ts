// A rollout as people and tools see it on Kubernetes.
import { expect, test } from 'vitest';
import { rolloutObject, rolloutStatus } from '../../../src/custom-resources/rollout-object.ts';
import { instant } from '../../../src/model/instant.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import { aRecord } from '../../support/records.ts';
import { aRollout, NOW, v42, v43 } from '../../support/rollout-records.ts';

const service = aRecord({
  traffic: { kind: 'shifting', primary: v42, candidate: v43, weight: 25, salt: 's' },
});

function statusOf(rollout: RolloutRecord) {
  return rolloutStatus(rollout, { service, generation: 1, now: instant(NOW), before: [] });
}

test.each([
  ['Progressing', { Ready: 'Unknown', Reconciling: 'True' }],
  ['Waiting', { Ready: 'Unknown', Reconciling: 'True' }],
  ['Paused', { Ready: 'False', Reconciling: 'True' }],
  ['Inconclusive', { Ready: 'False', Reconciling: 'True' }],
  ['Succeeded', { Ready: 'True' }],
  ['Aborted', { Ready: 'False', Stalled: 'True' }],
  ['RolledBack', { Ready: 'False', Stalled: 'True' }],
  ['Failed', { Ready: 'False', Stalled: 'True' }],
] as const)('one that is %s says so in its conditions', (state, expected) => {
  const { conditions } = statusOf(aRollout({ state }));
  expect(Object.fromEntries(conditions.map(({ type, status }) => [type, status]))).toEqual(expected);
  for (const { message, reason } of conditions) expect([message, reason]).not.toContain('');
});

test('its status has what a person looks for', () => {
  const rollout = aRollout({ delegates: { ready: 3, expected: 4, at: instant(NOW) } });
  expect(statusOf(rollout)).toMatchObject({
    state: 'Progressing',
    step: 'Shift-25',
    weight: 25,
    attempt: 1,
    delegates: '3/4',
    message: 'the checks of Shift-25 run',
  });
  const gap = { name: 'manager', routes: v43, service: v42 };
  const gaps = [{ ...gap, from: instant(NOW - 5), until: instant(NOW) }];
  expect(statusOf(aRollout({ primaryServiceGaps: gaps })).primaryServiceGaps).toEqual([
    { ...gap, from: '2026-11-23T15:04:04.995Z', until: '2026-11-23T15:04:05.000Z' },
  ]);
  expect(statusOf(aRollout({ endedAt: instant(NOW) })).endedAt).toBe('2026-11-23T15:04:05.000Z');
});

test('its name is one that Kubernetes takes, and differs where the id does', () => {
  const names = [aRollout(), aRollout({ id: 'manager_v43_18' as RolloutRecord['id'] })].map(
    (rollout) => rolloutObject(rollout).name,
  );
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name).toMatch(/^manager-v43-[0-9a-f]{8}$/);
  expect(rolloutObject(aRollout()).spec).toMatchObject({
    id: 'manager_v43_17',
    baseline: 'v42',
    startedBy: 'ada@box',
  });
});
