import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { versionName } from '../../../src/model/names.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import type { Traffic } from '../../../src/model/state.ts';
import { movedBack, overridden, paused, resumed } from '../../../src/rollout/override.ts';
import { aRecord } from '../../support/records.ts';
import { aRollout, aTraffic } from '../../support/rollouts.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const now = instant(9_000);
const policy = { traffic: aTraffic({ steps: [10, 50, 100] }) };
const override = { by: 'ada', what: 'set-weight 60', now };
const onV1: Traffic = { kind: 'steady', primary: v1 };
const onV2: Traffic = { kind: 'steady', primary: v2, previous: v1 };
const shared = (weight: number): Traffic => ({
  kind: 'shifting',
  primary: v1,
  candidate: v2,
  weight,
  salt: 's',
});
const at = (traffic: Traffic, rollout: Partial<RolloutRecord> = {}) =>
  aRecord({
    traffic,
    rollout: aRollout({ policy, step: { kind: 'Shift', index: 0, weight: 10 }, ...rollout }),
  });

describe('a hand on the traffic', () => {
  test('stops the rollout until resume', () => {
    const { rollout } = overridden(at(shared(10)), at(shared(60)), override);
    expect(rollout).toMatchObject({ state: 'Paused', stateReason: 'OperatorOverride' });
    expect(rollout?.because).toContain('set-weight 60 by ada');
  });

  test('that changes nothing leaves the rollout alone', () => {
    const before = at(shared(10));
    expect(overridden(before, before, override)).toBe(before);
  });

  test('leaves an ended rollout alone', () => {
    const after = at(onV2, { state: 'Aborted' });
    expect(overridden(at(onV1, { state: 'Aborted' }), after, override)).toBe(after);
  });

  test('that flips to a candidate which waits for an approval is that approval', () => {
    const waiting = { state: 'Paused', stateReason: 'Approval' } as const;
    const { rollout } = overridden(at(shared(50), waiting), at(onV2, waiting), override);
    expect(rollout).toMatchObject({ state: 'Progressing', step: { kind: 'Shift', weight: 100 } });
  });
});

describe('a rollback by hand', () => {
  test.each(['Progressing', 'Succeeded'] as const)(
    'after the flip ends one that is %s as RolledBack',
    (state) => {
      const { rollout } = movedBack(at(onV2, { state }), at(onV1, { state }), override);
      expect(rollout).toMatchObject({ state: 'RolledBack', endedAt: now, movedBackAt: now });
    },
  );

  test('before the flip ends it as Aborted', () => {
    expect(movedBack(at(shared(10)), at(onV1), override).rollout?.state).toBe('Aborted');
  });
});

describe('pause', () => {
  test('keeps in mind that an operator has taken over', () => {
    const taken = aRollout({ state: 'Paused', stateReason: 'OperatorOverride' });
    expect(paused(taken, 'paused by ada', now)).toBe(taken);
  });
});

describe('resume', () => {
  const taken = { state: 'Paused', stateReason: 'OperatorOverride', attempt: 1 } as const;

  test.each([
    [shared(60), { kind: 'Shift', weight: 50 }],
    [shared(10), { kind: 'Shift', weight: 10 }],
    [onV2, { kind: 'Shift', weight: 100 }],
    [onV1, { kind: 'Deploy' }],
  ])('after an override goes on from where the traffic is: %o', (traffic, step) => {
    expect(resumed(at(traffic, taken), 'ada', now)).toMatchObject({ state: 'Progressing', step, attempt: 2 });
  });

  test('after a pause goes on at its step, with what was measured', () => {
    const going = resumed(at(shared(10), { state: 'Paused', stateReason: 'Operator' }), 'ada', now);
    expect(going).toMatchObject({ state: 'Progressing', attempt: 1, stepSince: 0 });
  });

  test('after an undecided gate judges it afresh', () => {
    const going = resumed(at(shared(10), { state: 'Inconclusive', stateReason: 'CheckError' }), 'ada', now);
    expect(going).toMatchObject({ attempt: 2, stepSince: now });
  });

  test('does nothing for an ended rollout', () => {
    expect(resumed(at(onV1, { state: 'Aborted' }), 'ada', now)).toBeUndefined();
  });
});

test('an order to pause holds also where a gate has paused already, whose own pause would end by itself', () => {
  const rollout = aRollout({ policy, state: 'Paused', stateReason: 'DelegatesMissing' });
  expect(paused(rollout, 'paused by ada', now)).toMatchObject({ state: 'Paused', stateReason: 'Operator' });
  const taken = aRollout({ policy, state: 'Paused', stateReason: 'OperatorOverride' });
  expect(paused(taken, 'paused by ada', now)).toBe(taken);
});
