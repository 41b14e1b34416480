import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { serviceName, versionName } from '../../../src/model/names.ts';
import { stepName } from '../../../src/model/rollout.ts';
import { findVersion, type ServiceRecord } from '../../../src/model/state.ts';
import { retryRollout, startRollout } from '../../../src/rollout/start.ts';
import { ForbiddenTransitionError } from '../../../src/rollout/transition.ts';
import { aRecord, aSpec, aVersion } from '../../support/records.ts';
import { aRollout } from '../../support/rollouts.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const start = { by: 'ada', reason: '', urgent: false, now: instant(1_000), group: [] };
const wanting = (version: string, replaced: Partial<ServiceRecord> = {}): ServiceRecord =>
  aRecord({ spec: aSpec({ version: versionName(version) }), ...replaced });
const shifting = (weight: number) =>
  ({ kind: 'shifting', primary: v1, candidate: v2, weight, salt: 's' }) as const;
const ramping = [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Ramping' })];

describe('a rollout begins', () => {
  test('at Deploy, compared with the primary of now', () => {
    const { rollout } = startRollout(wanting('v2'), start);
    expect(rollout).toMatchObject({
      version: 'v2',
      baseline: 'v1',
      step: { kind: 'Deploy' },
      state: 'Progressing',
      attempt: 1,
    });
  });

  test('not for the first version of a service: it needs no step', () => {
    const record = startRollout(wanting('v1', { traffic: { kind: 'none' }, versions: [] }), start);
    expect(record.rollout).toBeUndefined();
    expect(findVersion(record, v1)?.state).toBe('Deploying');
  });

  test('not for the version that is primary already', () => {
    expect(startRollout(wanting('v1'), start).rollout).toBeUndefined();
  });

  test('without its version where retention.max leaves no room for it', () => {
    const versions = [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v0')];
    const record = startRollout(wanting('v3', { versions }), start);
    expect(record.rollout?.version).toBe('v3');
    expect(findVersion(record, versionName('v3'))).toBeUndefined();
  });

  test('alone where its group has no second member', () => {
    const group = [serviceName('manager')];
    expect(startRollout(wanting('v2'), { ...start, group }).rollout?.group).toEqual([]);
  });

  test('paused where its version has a share by hand, so that no step lowers it (rule 3)', () => {
    const { rollout } = startRollout(wanting('v2', { traffic: shifting(40), versions: ramping }), start);
    expect(rollout).toMatchObject({ state: 'Paused', stateReason: 'OperatorOverride' });
  });

  test('with a clean candidate: a mark and a fence of before are gone', () => {
    const mark = { kind: 'Quarantined', reason: 'bad', by: 'controller', since: instant(0) } as const;
    const versions = [
      aVersion('v1', { state: 'Primary' }),
      aVersion('v2', { state: 'Draining', fenced: true, mark }),
    ];
    const version = findVersion(startRollout(wanting('v2', { versions }), start), v2);
    expect(version).toMatchObject({ state: 'Standby' });
    expect(version?.mark).toBeUndefined();
  });
});

describe('a rollout that goes on makes way', () => {
  test('with its traffic back at the primary, and its candidate Abandoned', () => {
    const record = startRollout(
      wanting('v3', {
        traffic: shifting(40),
        versions: ramping,
        rollout: aRollout({ step: { kind: 'Shift', index: 0, weight: 40 } }),
      }),
      start,
    );
    expect(record.traffic).toMatchObject({ kind: 'steady', primary: 'v1' });
    expect(findVersion(record, v2)?.mark?.kind).toBe('Abandoned');
    expect(record.rollout).toMatchObject({ version: 'v3', baseline: 'v1', keeps: [] });
  });

  test('after its flip without moving the traffic; the version before stays up as a second way back', () => {
    const record = startRollout(
      wanting('v3', {
        traffic: { kind: 'steady', primary: v2, previous: v1 },
        versions: [aVersion('v1'), aVersion('v2', { state: 'Primary', lastPrimary: instant(1) })],
        rollout: aRollout({ step: { kind: 'Soak' } }),
      }),
      start,
    );
    expect(record.traffic).toMatchObject({ kind: 'steady', primary: 'v2' });
    expect(record.rollout).toMatchObject({ version: 'v3', baseline: 'v2', keeps: ['v1'] });
    expect(findVersion(record, v2)?.mark).toBeUndefined();
  });
});

describe('retry', () => {
  test('begins at Deploy with nothing promoted, and raises the attempt', () => {
    const ended = aRollout({
      state: 'Aborted',
      promoted: [stepName({ kind: 'Verify' })],
      attempt: 2,
      step: { kind: 'Soak' },
    });
    const { rollout } = retryRollout(aRecord({ rollout: ended }), instant(5));
    expect(rollout).toMatchObject({
      attempt: 3,
      step: { kind: 'Deploy' },
      promoted: [],
      state: 'Progressing',
    });
    expect(rollout?.endedAt).toBeUndefined();
  });

  test.each(['Progressing', 'Waiting', 'Paused', 'Inconclusive', 'Succeeded'] as const)(
    'is refused while it is %s',
    (state) => {
      const record = aRecord({ rollout: aRollout({ state }) });
      expect(() => retryRollout(record, instant(5))).toThrow(ForbiddenTransitionError);
    },
  );
});
