import { expect, test } from 'vitest';
import { isAdmitted, waveOf } from '../../../src/goalstate/admission.ts';
import { positionOf } from '../../../src/goalstate/position.ts';
import { followRollout } from '../../../src/goalstate/wave-rollout.ts';
import { planWaves, resumeWaves, skipWave, type WavesInput } from '../../../src/goalstate/waves.ts';
import type { BoxVersionState, WatcherRecord } from '../../../src/model/goal-state.ts';
import { instant } from '../../../src/model/instant.ts';
import type { RolloutRecord } from '../../../src/model/rollout.ts';
import { WEEKDAYS } from '../../../src/model/spec.ts';
import type { WavesRecord } from '../../../src/model/waves.ts';
import { aWatcher, aWave, v1, v2, wavesOf } from '../../support/goals.ts';
import { aRollout } from '../../support/rollouts.ts';
import { boxId, boxVersion } from '../../support/watchers.ts';

const boxes = (count: number, group = 'default') =>
  Array.from({ length: count }, (_, index) => aWatcher({ id: `${group}-${index}`, group }));

function plan(recorded: WavesRecord, watchers: readonly WatcherRecord[], replaced: Partial<WavesInput> = {}) {
  return planWaves({
    recorded,
    watchers,
    decommissioned: new Set(),
    now: instant(0),
    urgent: false,
    gathering: '',
    stopped: '',
    ...replaced,
  });
}

const admitted = (record: WavesRecord, watchers: readonly WatcherRecord[]) =>
  watchers.filter(({ identity }) => isAdmitted(record, identity));

/** The watchers after those that were admitted have come to a state. */
const after = (record: WavesRecord, watchers: readonly WatcherRecord[], state: BoxVersionState) =>
  watchers.map((watcher) =>
    isAdmitted(record, watcher.identity)
      ? { ...watcher, report: { ...watcher.report, versions: [boxVersion('v2', state)] } }
      : watcher,
  );

const order = { by: 'ada', reason: 'looked at it', at: instant(0) };

test('without waves every box is admitted at once', () => {
  const watchers = boxes(5);
  expect(admitted(wavesOf(), watchers)).toHaveLength(5);
  expect(plan(wavesOf(), watchers).done).toEqual([]);
});

test('a group belongs to the wave that names it, else to the one that takes the rest, else to the last', () => {
  const named = [aWave({ groups: ['lab'] }), aWave({ groups: ['north'] })];
  expect([waveOf(named, 'lab'), waveOf(named, 'north'), waveOf(named, 'elsewhere')]).toEqual([0, 1, 1]);
  expect(waveOf([aWave(), aWave({ groups: ['lab'] })], 'elsewhere')).toBe(0);
});

test('canaries go first and alone; when all of them are ready, the rest follows, at most maxInFlight at a time', () => {
  const watchers = boxes(10);
  const canaries = plan(wavesOf(aWave({ canaries: 2, maxInFlight: 3 })), watchers);
  expect(canaries.next.phase).toBe('Canaries');
  expect(admitted(canaries.next, watchers)).toHaveLength(2);
  expect(canaries.because).toMatch(/^wave 1 of 1 \(all\) waits for its canaries default-\d, default-\d$/);
  const rest = plan(canaries.next, after(canaries.next, watchers, 'Ready'));
  expect(rest.next.phase).toBe('Rest');
  expect(admitted(rest.next, watchers)).toHaveLength(5);
  const stillGoing = plan(rest.next, after(canaries.next, watchers, 'Ready'));
  expect(stillGoing.next).toBe(rest.next);
});

test('two rollouts do not begin with the same boxes', () => {
  const first = (rollout: string) =>
    boxes(20)
      .map(({ identity }) => identity.id)
      .toSorted((one, other) => positionOf(rollout as never, one) - positionOf(rollout as never, other))[0];
  expect(new Set(['a', 'b', 'c', 'd', 'e'].map(first)).size).toBeGreaterThan(1);
});

test('a canary that fails halts the wave, and an operator lets it go on', () => {
  const watchers = boxes(4);
  const { next } = plan(wavesOf(aWave({ canaries: 1, maxFailed: 3 })), watchers);
  const failed = after(next, watchers, 'CrashLooping');
  const halted = plan(next, failed);
  expect(halted.next.halt?.reason).toBe('CanaryFailed');
  expect(halted.because).toMatch(/has halted: v2 failed on the canary default-\d$/);
  expect(plan(halted.next, after(next, watchers, 'Ready')).next).toBe(halted.next);
  const resumed = resumeWaves(halted.next, order, { watchers: failed, decommissioned: new Set() });
  expect(resumed.order).toMatchObject({ kind: 'Resume', by: 'ada' });
  expect(admitted(plan(resumed, failed).next, watchers)).toHaveLength(4);
});

test('a canary that goes away is waited for, and no other box is put in its place', () => {
  const watchers = boxes(4);
  const { next } = plan(wavesOf(aWave({ canaries: 1 })), watchers);
  const gone = watchers.map((watcher) =>
    isAdmitted(next, watcher.identity) ? { ...watcher, isConnected: false, lastSeen: instant(5) } : watcher,
  );
  const waiting = plan(next, gone, { now: instant(10) });
  expect(waiting.next).toBe(next);
  expect(waiting.because).toMatch(/waits for its canaries default-\d; away are default-\d$/);
  const back = plan(next, after(next, watchers, 'Ready'), { now: instant(20) });
  expect(back.next.phase).toBe('Rest');
  expect(skipWave(next, order, { watchers: gone, decommissioned: new Set() }).phase).toBe('Rest');
});

test('a wave halts when more than maxFailed boxes have failed; a refusal is no failure', () => {
  const watchers = boxes(6);
  const { next } = plan(wavesOf(aWave({ maxFailed: 1, maxInFlight: 2 })), watchers);
  expect(plan(next, after(next, watchers, 'ArtifactFailed')).next.halt?.reason).toBe('TooManyFailed');
  const refused = plan(next, after(next, watchers, 'Refused'));
  expect(refused.next.halt).toBeUndefined();
  expect(admitted(refused.next, watchers)).toHaveLength(4);
});

test('failures that recovered in an earlier wave do not make up for new ones', () => {
  const record: WavesRecord = {
    ...wavesOf(aWave({ groups: ['lab'], maxFailed: 9 }), aWave({ name: 'rest' })),
    wave: 1,
    phase: 'Rest',
    admittedTo: Number.MAX_SAFE_INTEGER,
    forgiven: { here: 0, before: 5 },
  };
  const failing = aWatcher({ id: 'late', versions: [boxVersion('v2', 'CrashLooping')] });
  expect(plan(record, [...boxes(5, 'lab'), failing]).next.halt?.reason).toBe('TooManyFailed');
});

test('the next wave waits for its hours after the one before, then for its window', () => {
  const windows = [{ days: WEEKDAYS, startMinute: 22 * 60, duration: 3_600_000 }];
  const waves = wavesOf(aWave({ groups: ['lab'] }), aWave({ name: 'rest', wait: 3_600_000, windows }));
  const first = plan(waves, []);
  expect(first.next).toMatchObject({ wave: 1, phase: 'Waiting' });
  expect(first.because).toBe('wave 2 of 2 (rest) waits until 1970-01-01T01:00:00Z, after the wave before it');
  const later = plan(first.next, [], { now: instant(7_200_000) });
  expect(later.because).toBe('wave 2 of 2 (rest) waits for its window, which opens 1970-01-01T22:00:00Z');
  expect(plan(first.next, [], { urgent: true }).next.phase).toBe('Done');
  expect(plan(first.next, [], { now: instant(22.5 * 3_600_000) }).next.phase).toBe('Done');
});

test('offline boxes, limited ones and those that wait for their customer never hold a wave up', () => {
  const watchers = [
    aWatcher({ id: 'away', isConnected: false }),
    aWatcher({ id: 'single', maxVersions: 1 }),
    aWatcher({ id: 'closed', versions: [boxVersion('v2', 'WaitingForWindow')] }),
    aWatcher({ id: 'unwilling', report: { refusal: 'not today' } }),
  ];
  expect(plan(wavesOf(aWave({ canaries: 2, maxInFlight: 1 })), watchers).next.phase).toBe('Done');
});

test('a box that comes later is treated as its wave was', () => {
  const late = aWatcher({ id: 'late', group: 'lab' });
  const { next } = plan(wavesOf(aWave({ groups: ['lab'] }), aWave({ name: 'rest', wait: 1_000 })), []);
  expect(isAdmitted(next, late.identity)).toBe(true);
  expect(isAdmitted(next, aWatcher({ id: 'late' }).identity)).toBe(false);
});

test('nothing is concluded while watchers are coming back, and nobody is admitted after a bad end', () => {
  const record = wavesOf(aWave());
  expect(plan(record, boxes(2), { gathering: 'they come back' })).toEqual({
    next: record,
    done: [],
    because: 'they come back',
  });
  expect(plan(record, boxes(2), { stopped: 'its rollout ended' }).next).toBe(record);
});

test('skip does not wait any longer for what the phase waits for', () => {
  const fleet = { watchers: boxes(4), decommissioned: new Set<never>() };
  const waiting = wavesOf(aWave({ canaries: 1, windows: [] }), aWave({ name: 'rest' }));
  const canaries = skipWave(waiting, order, fleet);
  expect(canaries.phase).toBe('Canaries');
  const rest = skipWave(canaries, order, fleet);
  expect(rest.phase).toBe('Rest');
  expect(skipWave(rest, order, fleet)).toMatchObject({ wave: 1, phase: 'Waiting', order: { kind: 'Skip' } });
});

test('a decommissioned box is not waited for', () => {
  const [stuck] = boxes(1);
  const { next } = plan(wavesOf(aWave()), stuck === undefined ? [] : [stuck]);
  expect(next.phase).toBe('Rest');
  const gone = new Set([boxId('default-0')]);
  expect(plan(next, stuck === undefined ? [] : [stuck], { decommissioned: gone }).next.phase).toBe('Done');
});

test.each<[string, Partial<RolloutRecord>, typeof v1, string]>([
  ['goes on', { state: 'Progressing' }, v1, ''],
  [
    'was paused by an operator',
    { state: 'Paused', stateReason: 'Operator' },
    v1,
    'an operator paused the rollout',
  ],
  ['Succeeded', { state: 'Succeeded' }, v2, ''],
  ['was aborted', { state: 'Aborted' }, v1, 'its rollout ended: Aborted'],
  ['was rolled back', { state: 'RolledBack' }, v1, 'its rollout ended: RolledBack'],
  ['was replaced', { id: 'manager_v3_9' as never }, v1, 'its rollout was replaced by another'],
  ['was replaced, and is primary', { id: 'manager_v3_9' as never }, v2, ''],
])('waves of a rollout that %s', (_what, rollout, primary, stopped) => {
  const record = { rollout: aRollout(rollout), traffic: { kind: 'steady', primary } as const };
  expect(followRollout(wavesOf(aWave()), record).stopped).toBe(stopped);
});

test('what is left of the waves of a rollout that Succeeded goes on beside the next one', () => {
  const won = {
    rollout: aRollout({ state: 'Succeeded' }),
    traffic: { kind: 'steady', primary: v2 } as const,
  };
  const { recorded } = followRollout(wavesOf(aWave()), won);
  const next = { rollout: aRollout({ id: 'manager_v3_9' as never }), traffic: { kind: 'none' } as const };
  expect(followRollout(recorded, next)).toEqual({ recorded, stopped: '' });
});
