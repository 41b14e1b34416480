// How long proxies had old and new routes side by side is kept with the rollout, for its report.
import { expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { planRollout } from '../../../src/rollout/plan-rollout.ts';
import { applyActions } from '../../../src/rollout/record.ts';
import { aRecord } from '../../support/records.ts';
import { aRollout } from '../../support/rollouts.ts';

function everywhere(record: ServiceRecord, mixedFor?: number): ServiceRecord {
  const actions = planRollout(record, {
    kind: 'Everywhere',
    because: 'every connected proxy has acknowledged it',
    ...(mixedFor === undefined ? {} : { mixedFor }),
  });
  return applyActions({ record, actions, now: instant(1_000) }).record;
}

test('the longest of all steps is kept', () => {
  let record = aRecord({ rollout: aRollout() });
  record = everywhere(record);
  expect(record.rollout).toMatchObject({ stepEverywhere: 1_000 });
  expect(record.rollout).not.toHaveProperty('mixedFor');
  record = everywhere(record, 42);
  expect(record.rollout?.mixedFor).toBe(42);
  expect(everywhere(record, 7).rollout?.mixedFor).toBe(42);
  expect(everywhere(record, 99).rollout?.mixedFor).toBe(99);
});
