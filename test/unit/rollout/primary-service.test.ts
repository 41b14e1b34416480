// The Service for clients without a proxy: the soak waits for it, but not for ever, and when it led elsewhere is recorded.
import { describe, expect, test } from 'vitest';
import { type Instant, instant, isoTime } from '../../../src/model/instant.ts';
import { versionName } from '../../../src/model/names.ts';
import { MAX_GAPS, type PrimaryServiceStanding } from '../../../src/model/primary-service.ts';
import type { RolloutRecord, StepName } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Observation } from '../../../src/rollout/observation.ts';
import { isRecording, plan } from '../../../src/rollout/plan.ts';
import { PRIMARY_SERVICE_PATIENCE } from '../../../src/rollout/primary-service.ts';
import { applyActions } from '../../../src/rollout/record.ts';
import { nextMove, walkerOf } from '../../../src/rollout/walk.ts';
import { anInstance, aRecord, aVersion } from '../../support/records.ts';
import { aRollout, aTraffic, aVerification } from '../../support/rollouts.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const FLIPPED = instant(1_000_000);
const EVERYWHERE = instant(FLIPPED + 300);
const at = (later: number): Instant => instant(EVERYWHERE + later);

const leads = (version = v2, problem = ''): PrimaryServiceStanding => ({
  kind: 'Leads',
  name: 'manager',
  version,
  problem,
});
const nowhere: PrimaryServiceStanding = { kind: 'Nowhere', name: 'manager', problem: '' };
const notOurs: PrimaryServiceStanding = { kind: 'NotOurs', name: 'manager', problem: 'not Switchyard’s' };

/** A rollout whose flip every proxy has followed. */
function flipped(rollout: Partial<RolloutRecord> = {}): ServiceRecord {
  return aRecord({
    traffic: { kind: 'steady', primary: v2, previous: v1 },
    versions: [aVersion('v1'), aVersion('v2', { state: 'Primary' })],
    rollout: aRollout({
      policy: { traffic: aTraffic(), verification: aVerification({ soak: 60_000 }) },
      step: { kind: 'Shift', index: 0, weight: 100 },
      stepSince: FLIPPED,
      stepEverywhere: EVERYWHERE,
      ...rollout,
    }),
  });
}

function seen(now: Instant, primaryService?: PrimaryServiceStanding): Observation {
  return {
    now,
    instances: [anInstance('v1'), anInstance('v2')],
    offered: [],
    work: new Map(),
    stillRouting: new Map(),
    removals: new Map(),
    ...(primaryService === undefined ? {} : { primaryService }),
    rollout: { runs: [], shown: { isEverywhere: true, behind: [], rejected: [] } },
  };
}

function moveOf(record: ServiceRecord, observed: Observation) {
  const walker = walkerOf(record, observed);
  return walker && nextMove(walker);
}

describe('the step after the flip', () => {
  test('waits until the Service leads to the candidate, and says where it leads', () => {
    const problem = 'Service manager stays where it is: v2 of manager has no ready endpoint';
    expect(moveOf(flipped(), seen(at(0), leads(v1, problem)))).toEqual({
      kind: 'Stay',
      state: 'Progressing',
      reason: 'PrimaryServiceBehind',
      because: `Service manager leads to v1, not yet to v2: ${problem}; it goes on without it at ${isoTime(at(PRIMARY_SERVICE_PATIENCE))}`,
    });
    expect(moveOf(flipped(), seen(at(0), nowhere))).toMatchObject({ reason: 'PrimaryServiceBehind' });
    expect(moveOf(flipped(), seen(at(0), leads()))).toMatchObject({
      kind: 'Enter',
      step: { kind: 'Soak' },
      because: 'every proxy has followed the flip, and Service manager leads to v2',
    });
  });

  test('is taken without a Service where the runtime has none', () => {
    expect(moveOf(flipped(), seen(at(0)))).toMatchObject({ because: 'every proxy has followed the flip' });
  });

  test('is taken at once where the Service is somebody else’s, and names that', () => {
    expect(moveOf(flipped(), seen(at(0), notOurs))).toMatchObject({
      kind: 'Enter',
      because: expect.stringContaining('not Switchyard’s') as string,
    });
  });

  test('waits no longer than its patience, counted from when every proxy had followed: a version must be checked', () => {
    const { kind } = moveOf(flipped(), seen(at(PRIMARY_SERVICE_PATIENCE - 1), leads(v1))) ?? {};
    expect(kind).toBe('Stay');
    expect(moveOf(flipped(), seen(at(PRIMARY_SERVICE_PATIENCE), leads(v1)))).toMatchObject({
      kind: 'Enter',
      because: expect.stringMatching(/goes on without the Service: Service manager leads to v1/) as string,
    });
  });

  test('waits too where an operator has approved the flip: that was about the flip', () => {
    const record = flipped({ promoted: ['Shift-100' as StepName], fullyPromotedBy: 'ada' });
    expect(moveOf(record, seen(at(0), leads(v1)))).toMatchObject({ kind: 'Stay' });
  });

  test('no rollout without a soak succeeds before clients without a proxy are led to it', () => {
    const record = flipped({ policy: { traffic: aTraffic() } });
    expect(moveOf(record, seen(at(0), leads(v1)))).toMatchObject({ kind: 'Stay' });
    expect(moveOf(record, seen(at(0), leads()))).toMatchObject({ kind: 'End', state: 'Succeeded' });
  });
});

/** The record after one round, and what it tells of that. */
function round(record: ServiceRecord, now: Instant, service: PrimaryServiceStanding) {
  const actions = plan(record, seen(now, service)).filter(isRecording);
  return applyActions({ record, actions, now });
}

const gapsOf = ({ rollout }: ServiceRecord) => rollout?.primaryServiceGaps;

describe('the time in which routes and Service led to different versions', () => {
  test('begins with the flip, and ends when the Service is seen to have followed', () => {
    const flipping = flipped();
    const begun = round(flipping, at(10), leads(v1));
    const gap = { name: 'manager', routes: v2, service: v1, from: FLIPPED };
    expect(gapsOf(begun.record)).toEqual([gap]);
    expect(begun.events).toEqual([]);
    const ended = round(begun.record, at(700), leads());
    expect(gapsOf(ended.record)).toEqual([{ ...gap, until: at(700) }]);
    expect(ended.events.map(({ message }) => message)).toContain(
      'manager: Service manager and the routes lead to v2 again, after 1000 ms',
    );
  });

  test('is not there where the Service was seen to have followed already', () => {
    expect(gapsOf(round(flipped(), at(10), leads()).record)).toBeUndefined();
  });

  test('is recorded once for each flip, however often it is looked at', () => {
    let record = flipped();
    for (const later of [0, 1, 2, 3]) ({ record } = round(record, at(later), leads(v1)));
    expect(gapsOf(record)).toHaveLength(1);
    ({ record } = round(record, at(4), leads()));
    ({ record } = round(record, at(5), nowhere));
    expect(gapsOf(record)).toHaveLength(1);
  });

  test('goes on, without an end, where the Service never follows', () => {
    const { record } = round(flipped(), at(0), notOurs);
    const gap = { name: 'manager', routes: v2, from: FLIPPED };
    expect(gapsOf(record)).toEqual([gap]);
    expect(gapsOf(round(record, at(PRIMARY_SERVICE_PATIENCE * 2), notOurs).record)).toEqual([gap]);
  });

  test('a rollback has one of its own, which ends after the rollout has', () => {
    const movedBackAt = at(60_000);
    const rollout = { state: 'RolledBack', movedBackAt, endedAt: movedBackAt } as const;
    const back = {
      ...flipped(rollout),
      traffic: { kind: 'steady', primary: v1 },
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2')],
    } as const;
    const { record } = round(back, at(60_100), leads(v2));
    const gap = { name: 'manager', routes: v1, service: v2, from: movedBackAt };
    expect(gapsOf(record)).toEqual([gap]);
    expect(gapsOf(round(record, at(60_200), leads(v1)).record)).toEqual([{ ...gap, until: at(60_200) }]);
  });

  test('ends with a rollback where the Service had not followed yet: both are where they were', () => {
    const { record } = round(flipped(), at(0), leads(v1));
    const back: ServiceRecord = {
      ...record,
      traffic: { kind: 'steady', primary: v1 },
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2')],
    };
    const ended = round(back, at(500), leads(v1)).record;
    expect(gapsOf(ended)?.map(({ until }) => until)).toEqual([at(500)]);
  });

  test('of many attempts the newest are kept', () => {
    const old = Array.from({ length: MAX_GAPS }, (_, index) => ({
      name: 'manager',
      routes: v2,
      from: instant(index),
      until: instant(index),
    }));
    const kept = gapsOf(round(flipped({ primaryServiceGaps: old }), at(0), leads(v1)).record);
    expect(kept).toHaveLength(MAX_GAPS);
    expect(kept?.at(-1)?.from).toBe(FLIPPED);
    expect(kept?.[0]?.from).toBe(1);
  });
});
