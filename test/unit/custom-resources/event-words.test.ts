/** What of the audit trail becomes an Event, and in which words. */
import { describe, expect, test } from 'vitest';
import { toldOf } from '../../../src/custom-resources/event-words.ts';
import type { AuditEvent } from '../../../src/model/audit.ts';
import { instant } from '../../../src/model/instant.ts';
import { serviceName } from '../../../src/model/names.ts';

function event(more: Partial<AuditEvent>): AuditEvent {
  return {
    sequence: 7,
    at: instant(1_000),
    actor: 'controller',
    action: 'EnterStep',
    service: serviceName('manager'),
    reason: 'the gate has passed',
    message: 'manager: the gate has passed',
    before: '',
    after: '',
    ...more,
  };
}

describe('an entry of the audit trail', () => {
  test('about a rollout is told on both objects, as often as it is there: its number is its identity', () => {
    expect(toldOf(event({}))).toEqual({
      on: ['Service', 'Rollout'],
      occurrence: {
        at: 1_000,
        id: 'audit/7',
        type: 'Normal',
        action: 'RollOut',
        reason: 'StepEntered',
        note: 'the gate has passed',
      },
    });
  });

  test.each([
    ['RolloutPaused', 'Normal', 'RolloutPaused'],
    ['RolloutInconclusive', 'Warning', 'RolloutInconclusive'],
    ['RolloutAborted', 'Warning', 'RolloutAborted'],
    ['RolloutRolledBack', 'Warning', 'RolloutRolledBack'],
    ['RolloutFailed', 'Warning', 'RolloutFailed'],
    ['RolloutSucceeded', 'Normal', 'RolloutSucceeded'],
    ['FirstPrimary', 'Normal', 'TrafficMoved'],
    ['BeginRetirement', 'Normal', 'RetirementBegan'],
  ])('%s is %s %s', (action, type, reason) => {
    expect(toldOf(event({ action }))?.occurrence).toMatchObject({ type, reason });
  });

  test('of an order says who gave it and why', () => {
    const flip = event({
      actor: 'ada@desk',
      action: 'Flip',
      reason: 'it is fine',
      message: 'manager: v2 now',
    });
    expect(toldOf(flip)).toMatchObject({
      on: ['Service'],
      occurrence: { action: 'Flip', reason: 'FlipOrdered', note: 'v2 now (ada@desk: it is fine)' },
    });
    expect(toldOf({ ...flip, reason: '' })?.occurrence.note).toBe('v2 now (ada@desk)');
  });

  test('of a version says the state that it has come to', () => {
    const versions = (v1: string, v2: string): string =>
      JSON.stringify({
        versions: [
          { name: 'v1', state: v1 },
          { name: 'v2', state: v2 },
        ],
      });
    const moved = { action: 'MoveVersion', before: versions('Drained', 'Primary') };
    expect(toldOf(event({ ...moved, after: versions('Retired', 'Primary') }))?.occurrence.reason).toBe(
      'VersionRetired',
    );
    expect(toldOf(event({ ...moved, after: moved.before }))).toBeUndefined();
  });

  test('that is bookkeeping, or of no service, is not told', () => {
    for (const action of ['FixRoll', 'ForgetFence', 'StepEverywhere', 'EndGap'])
      expect(toldOf(event({ action }))).toBeUndefined();
    const { service: _, ...down } = event({ actor: 'ada@desk', action: 'Down' });
    expect(toldOf(down)).toBeUndefined();
  });
});
