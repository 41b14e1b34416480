import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import { hasRoom, versionsToRetire, versionsToTearDown } from '../../../src/rollout/teardown.ts';
import { aRecord, aSpec, aVersion } from '../../support/records.ts';
import { aRollout } from '../../support/rollouts.ts';

const now = instant(1_000);
const was = (at: number) => ({ lastPrimary: instant(at) });
const primary = aVersion('v3', { state: 'Primary', ...was(30) });
/** v4 comes up beside v3; v2 and v1 were primary before. */
const record = (replaced: Partial<ServiceRecord> = {}, keep = 3): ServiceRecord =>
  aRecord({
    spec: aSpec({ retention: { keep, max: 5 } }),
    traffic: { kind: 'steady', primary: versionName('v3') },
    versions: [aVersion('v1', was(10)), aVersion('v2', was(20)), primary, aVersion('v4')],
    rollout: aRollout({ version: versionName('v4'), baseline: versionName('v3') }),
    ...replaced,
  });
const tornDown = (of: ServiceRecord) => versionsToTearDown(of, now).map(({ version }) => version);

describe('when a rollout begins', () => {
  test('the versions beyond retention.keep are torn down, the newest primaries kept', () => {
    expect(tornDown(record())).toEqual(['v1']);
    expect(tornDown(record({}, 2))).toEqual(['v1', 'v2']);
  });

  test('never its candidate, its baseline or another way back, however few may stay', () => {
    const rollout = aRollout({
      version: versionName('v4'),
      baseline: versionName('v3'),
      keeps: [versionName('v1')],
    });
    expect(tornDown(record({ rollout }, 1))).toEqual(['v2']);
  });

  test('never one that a tenant is held on, until the hold has expired', () => {
    const hold = {
      tenant: tenantName('acme'),
      version: versionName('v1'),
      reason: 'r',
      by: 'ada',
      since: instant(0),
    };
    expect(tornDown(record({ holds: [{ ...hold, expires: instant(2_000) }] }))).toEqual([]);
    expect(tornDown(record({ holds: [{ ...hold, expires: instant(500) }] }))).toEqual(['v1']);
  });

  test('a marked version goes before one that was good', () => {
    const mark = { kind: 'Quarantined', reason: 'bad', by: 'controller', since: instant(0) } as const;
    const versions = [aVersion('v1', was(10)), aVersion('v2', { mark }), primary, aVersion('v4')];
    expect(tornDown(record({ versions }))).toEqual(['v2']);
  });

  test('never one that was only listed by address', () => {
    const versions = [aVersion('v1'), aVersion('v2', was(20)), primary, aVersion('v4')];
    expect(tornDown(record({ versions }))).toEqual([]);
  });
});

test('nothing is torn down when no rollout goes on', () => {
  const ended = aRollout({ version: versionName('v4'), baseline: versionName('v3'), state: 'Aborted' });
  expect(tornDown(record({ rollout: ended }, 1))).toEqual([]);
});

test('there is room for a version below retention.max, and for one that is up already', () => {
  const full = record({ spec: aSpec({ retention: { keep: 2, max: 4 } }) });
  expect(hasRoom(full, versionName('v5'))).toBe(false);
  expect(hasRoom(full, versionName('v4'))).toBe(true);
  expect(hasRoom(record(), versionName('v5'))).toBe(true);
});

test('a torn-down version is retired when it has drained, and no other is', () => {
  const teardown = { since: instant(0), because: 'retention' };
  const versions = [
    aVersion('v1', { state: 'Drained', teardown }),
    aVersion('v2', { state: 'Draining', teardown }),
    aVersion('v0', { state: 'Drained' }),
    primary,
  ];
  expect(versionsToRetire(record({ versions }))).toEqual(['v1']);
});
