import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { Verdict } from '../../../src/model/measurement.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import type { RolloutRecord, RolloutStep } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { groupMoves, groupOf } from '../../../src/rollout/group.ts';
import type { Observation } from '../../../src/rollout/observation.ts';
import { type Move, walkerOf } from '../../../src/rollout/walk.ts';
import { anInstance, aRecord, aSpec, aVersion } from '../../support/records.ts';
import { aRollout, aTraffic, aVerification } from '../../support/rollouts.ts';

const names = ['manager', 'planner'].map(serviceName);
const policy = { traffic: aTraffic({ steps: [50, 100] }), verification: aVerification({ soak: 60_000 }) };
const verify: RolloutStep = { kind: 'Verify' };
const soak: RolloutStep = { kind: 'Soak' };

function member(
  name: string,
  rollout: Partial<RolloutRecord>,
  record: Partial<ServiceRecord> = {},
): ServiceRecord {
  return aRecord({
    name: serviceName(name),
    spec: aSpec({ name: serviceName(name) }),
    rollout: aRollout({
      service: serviceName(name),
      policy,
      group: names,
      step: verify,
      stepEverywhere: instant(1_000),
      ...rollout,
    }),
    ...record,
  });
}

/** The moves of both members, by service, given their verdicts. */
function movesOf(
  members: readonly { record: ServiceRecord; verdict: Verdict['state'] }[],
): Record<string, Move> {
  const walkers = members.flatMap(({ record, verdict }) => {
    const observed: Observation = {
      now: instant(2_000),
      instances: [anInstance('v1'), anInstance('v2')],
      offered: [],
      work: new Map(),
      stillRouting: new Map(),
      removals: new Map(),
      rollout: {
        runs: [],
        verdict: { state: verdict, because: `it ${verdict}`, deciding: [] },
        shown: { isEverywhere: true, behind: [], rejected: [] },
      },
    };
    return walkerOf(record, observed) ?? [];
  });
  const moves = groupMoves(
    walkers,
    members.map(({ record }) => record),
  );
  return Object.fromEntries([...moves].map(([walker, move]) => [walker.record.name, move]));
}

describe('services whose rollouts began together', () => {
  test('are those of the group with the same beginning; another rollout of a member is its own', () => {
    const [one, other] = [member('manager', {}), member('planner', {})];
    expect(groupOf(one, [one, other])).toEqual([one, other]);
    const later = member('planner', { startedAt: instant(99) });
    expect(groupOf(one, [one, later])).toEqual([one]);
    expect(groupOf(aRecord({ rollout: aRollout() }), [one, other])).toHaveLength(1);
  });

  test('take a step of traffic when all would take it, and wait for each other until then', () => {
    const both = [member('manager', {}), member('planner', {})] as const;
    const waiting = movesOf([
      { record: both[0], verdict: 'Passed' },
      { record: both[1], verdict: 'Running' },
    ]);
    expect(waiting['manager']).toMatchObject({
      kind: 'Stay',
      state: 'Waiting',
      reason: 'Group',
      because: 'waits for planner: the group moves together',
    });
    const ready = movesOf(both.map((record) => ({ record, verdict: 'Passed' })));
    expect(ready).toMatchObject({
      manager: { kind: 'Enter', step: { weight: 50 } },
      planner: { kind: 'Enter', step: { weight: 50 } },
    });
  });

  test('go back together where one fails, and only the one that failed is called bad', () => {
    const moves = movesOf([
      { record: member('manager', {}), verdict: 'Failed' },
      { record: member('planner', {}), verdict: 'Passed' },
    ]);
    expect(moves).toMatchObject({
      manager: { kind: 'End', state: 'Aborted', isBad: true },
      planner: { kind: 'End', state: 'Aborted', reason: 'GroupMember', isBad: false },
    });
  });

  test('roll back together after the flip', () => {
    const flipped: Partial<ServiceRecord> = {
      traffic: { kind: 'steady', primary: versionName('v2'), previous: versionName('v1') },
      versions: [aVersion('v1'), aVersion('v2', { state: 'Primary' })],
    };
    const moves = movesOf([
      { record: member('manager', { step: soak }, flipped), verdict: 'Running' },
      { record: member('planner', { step: soak }, flipped), verdict: 'Failed' },
    ]);
    expect(moves).toMatchObject({
      manager: { kind: 'End', state: 'RolledBack', isBad: false },
      planner: { kind: 'End', state: 'RolledBack', isBad: true },
    });
  });

  test('succeed together: until all would, each can still go back with the others', () => {
    const flipped: Partial<ServiceRecord> = {
      traffic: { kind: 'steady', primary: versionName('v2'), previous: versionName('v1') },
      versions: [aVersion('v1'), aVersion('v2', { state: 'Primary' })],
    };
    const soaked = { ...policy, verification: aVerification({ soak: 500 }) };
    const both = (other: Verdict['state']) =>
      movesOf([
        { record: member('manager', { step: soak, policy: soaked }, flipped), verdict: 'Passed' },
        { record: member('planner', { step: soak, policy: soaked }, flipped), verdict: other },
      ]);
    expect(both('NoData')).toMatchObject({ manager: { kind: 'Stay', state: 'Waiting', reason: 'Group' } });
    expect(both('Passed')).toMatchObject({
      manager: { state: 'Succeeded' },
      planner: { state: 'Succeeded' },
    });
  });

  test('go back where a member was aborted by hand', () => {
    const moves = movesOf([
      { record: member('manager', { state: 'Aborted', because: 'aborted by ann' }), verdict: 'Passed' },
      { record: member('planner', {}), verdict: 'Passed' },
    ]);
    expect(moves).toEqual({
      planner: expect.objectContaining({
        kind: 'End',
        because: 'the group moves back together: manager is Aborted (aborted by ann)',
      }),
    });
  });
});
