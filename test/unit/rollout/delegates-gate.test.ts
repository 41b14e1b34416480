import { describe, expect, test } from 'vitest';
import type { DelegatesSpec } from '../../../src/model/delegates.ts';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { Parity, ParityVerdict, TenantParity } from '../../../src/model/parity.ts';
import type { RolloutRecord, RolloutStep, StepName } from '../../../src/model/rollout.ts';
import type { Hold, ServiceRecord } from '../../../src/model/state.ts';
import { enterStep } from '../../../src/rollout/advance.ts';
import type { RolloutObservation } from '../../../src/rollout/observation.ts';
import { stateWhenUp } from '../../../src/rollout/plan-delegates.ts';
import { planRoll } from '../../../src/rollout/plan-rollout.ts';
import { promoted, waivesGate } from '../../../src/rollout/promote.ts';
import { stepsOf } from '../../../src/rollout/steps.ts';
import { nextMove, type Walker, walkerOf } from '../../../src/rollout/walk.ts';
import { anInstance, aProcessesSpec, aRecord, aVersion } from '../../support/records.ts';
import { aRollout, aTraffic } from '../../support/rollouts.ts';

const v2 = versionName('v2');
const acme = tenantName('acme');
const globex = tenantName('globex');
const now = instant(1_000_000);
const register: RolloutStep = { kind: 'Register' };
const quarter: RolloutStep = { kind: 'Shift', index: 0, weight: 25 };

const spec: DelegatesSpec = {
  source: { kind: 'grpc' },
  activeWithin: 86_400_000,
  deadline: 60_000,
  onMissing: 'HoldBack',
  maxHeldBack: 50,
  holdFor: 3_600_000,
  waves: [],
};
const policy = { traffic: aTraffic({ steps: [25, 100] }), delegates: spec };

function tenant(name: typeof acme, state: TenantParity['state']): TenantParity {
  const ready = state === 'Passed' ? 1 : 0;
  return {
    tenant: name,
    state,
    expected: 1,
    ready,
    missing: [],
    switching: [],
    offline: { count: 0, boxes: [] },
  };
}

function seen(
  kind: ParityVerdict['kind'],
  globexIs: TenantParity['state'] = 'Missing',
): Partial<RolloutObservation> {
  const tenants = [tenant(acme, 'Passed'), tenant(globex, globexIs)];
  const verdict = { kind, tenants: [globex] } as ParityVerdict;
  const ready = tenants.filter(({ state }) => state === 'Passed').length;
  const parity: Parity = { verdict, because: `it is ${kind}`, expected: 2, ready, tenants, lines: [] };
  return { delegates: { parity } };
}

function walker(
  step: RolloutStep,
  given: {
    rollout?: Partial<RolloutRecord>;
    record?: Partial<ServiceRecord>;
    seen?: Partial<RolloutObservation>;
  } = {},
): Walker {
  const rollout = aRollout({
    policy,
    step,
    stepEverywhere: instant(now - 5_000),
    stepSince: instant(now - 10_000),
    rollFixedAt: instant(now - 9_000),
    ...given.rollout,
  });
  const service = {
    ...aProcessesSpec(),
    tenantKey: { header: 'x-tenant', allow: { kind: 'everywhere' } },
  } as const;
  const versions = [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Registering' })];
  const record = aRecord({ spec: service, rollout, versions, ...given.record });
  const found = walkerOf(record, {
    now,
    instances: [anInstance('v1'), anInstance('v2')],
    offered: [],
    work: new Map(),
    stillRouting: new Map(),
    removals: new Map(),
    rollout: {
      runs: [],
      shown: { isEverywhere: true, behind: [], rejected: [] },
      ...given.seen,
    },
  });
  if (found === undefined) throw new Error('the rollout is open');
  return found;
}

function heldBy(of: Partial<Hold> = {}): Hold {
  const expires = instant(now + 1_000);
  return { tenant: globex, version: versionName('v1'), reason: '', by: 'ada', since: now, expires, ...of };
}

describe('the gate of delegates', () => {
  test('is a step after Deploy of a service with delegates, and of no other', () => {
    expect(stepsOf(policy).map(({ kind }) => kind)).toEqual(['Deploy', 'Register', 'Shift', 'Shift']);
    expect(stepsOf({ traffic: policy.traffic }).map(({ kind }) => kind)).not.toContain('Register');
  });

  test('goes on when every tenant has its delegates, and says how many', () => {
    expect(nextMove(walker(register, { seen: seen('Passed', 'Passed') }))).toMatchObject({
      kind: 'Enter',
      step: quarter,
      heldBack: [],
      delegates: { ready: 2, expected: 2 },
    });
  });

  test('stays while one is missing; past the deadline it says that it waits', () => {
    expect(nextMove(walker(register, { seen: seen('Waiting') }))).toMatchObject({
      kind: 'Stay',
      state: 'Progressing',
      reason: 'Registering',
    });
    const late = { rollout: { stepSince: instant(now - 60_000) } };
    expect(nextMove(walker(register, { ...late, seen: seen('Waiting') }))).toMatchObject({
      state: 'Waiting',
      reason: 'DelegatesMissing',
    });
  });

  test.each([undefined, seen('Unknown')])(
    'never passes on what is unknown, at the deadline neither',
    (what) => {
      const given = { ...(what && { seen: what }) };
      expect(nextMove(walker(register, given))).toMatchObject({ kind: 'Stay', reason: 'DelegatesUnknown' });
      const late = { rollout: { stepSince: instant(0), urgent: true }, ...given };
      expect(nextMove(walker(register, late))).toMatchObject({
        state: 'Inconclusive',
        reason: 'DelegatesUnknown',
      });
    },
  );

  test('holds missing tenants back with the step: on the baseline, with expiry and by whom', () => {
    const found = walker(register, { seen: seen('HoldBack') });
    const move = nextMove(found);
    expect(move).toMatchObject({ kind: 'Enter', heldBack: [globex] });
    const entered = enterStep(found.record, { step: quarter, heldBack: [globex], because: '', now });
    expect(entered.holds).toEqual([
      {
        tenant: globex,
        version: 'v1',
        reason: 'held back: its delegates were missing on v2',
        by: 'controller',
        since: now,
        expires: now + 3_600_000,
        heldBackBy: found.rollout.id,
      },
    ]);
    expect(entered.versions).toMatchObject([{ state: 'Primary' }, { name: 'v2', state: 'Ramping' }]);
  });

  test('pauses where too many are missing, those that it holds back already included', () => {
    const none = { rollout: { policy: { ...policy, delegates: { ...spec, maxHeldBack: 49 } } } };
    expect(nextMove(walker(register, { ...none, seen: seen('Pause') }))).toMatchObject({
      kind: 'Stay',
      state: 'Paused',
      reason: 'DelegatesMissing',
    });
    const id = walker(register).rollout.id;
    const record = { holds: [heldBy({ tenant: acme, heldBackBy: id })] };
    expect(nextMove(walker(register, { record, seen: seen('HoldBack') }))).toMatchObject({
      kind: 'Stay',
      state: 'Paused',
      reason: 'DelegatesMissing',
    });
  });

  test('holds nobody back once traffic has moved, since a tenant moves one way: it pauses', () => {
    expect(nextMove(walker(quarter, { seen: seen('HoldBack') }))).toMatchObject({
      kind: 'Stay',
      state: 'Paused',
      reason: 'DelegatesMissing',
    });
  });

  test('pauses where nobody can be held, since no request names its tenant', () => {
    const { tenantKey: _none, ...untold } = aProcessesSpec();
    const record = { spec: untold };
    expect(nextMove(walker(register, { record, seen: seen('HoldBack') }))).toMatchObject({
      state: 'Paused',
      because: expect.stringContaining('no spec.tenantKey'),
    });
  });

  test('does not wait for a tenant that a hold sends somewhere, as long as it lasts', () => {
    const held = { record: { holds: [heldBy()] }, seen: seen('Waiting') };
    expect(nextMove(walker(register, held))).toMatchObject({ kind: 'Enter', heldBack: [] });
    const expired = { record: { holds: [heldBy({ expires: now })] }, seen: seen('Waiting') };
    expect(nextMove(walker(register, expired))).toMatchObject({ kind: 'Stay' });
  });

  test('is asked once more before each step that moves traffic, and not after the flip', () => {
    expect(nextMove(walker(quarter, { seen: seen('Waiting') }))).toMatchObject({
      kind: 'Stay',
      reason: 'Registering',
    });
    const flipped = {
      traffic: { kind: 'steady', primary: v2, previous: versionName('v1') },
      versions: [aVersion('v1'), aVersion('v2', { state: 'Primary' })],
    } as const;
    const flip: RolloutStep = { kind: 'Shift', index: 1, weight: 100 };
    expect(nextMove(walker(flip, { record: flipped, seen: seen('Waiting') }))).toMatchObject({
      kind: 'End',
      state: 'Succeeded',
    });
  });

  test('ends the rollout where the spec says so: Failed before any traffic has moved, Aborted after', () => {
    expect(nextMove(walker(register, { seen: seen('Fail') }))).toMatchObject({
      kind: 'End',
      state: 'Failed',
    });
    expect(nextMove(walker(quarter, { seen: seen('Fail') }))).toMatchObject({
      kind: 'End',
      state: 'Aborted',
    });
  });

  test('is waived for the whole rollout by a promote, which then needs a reason', () => {
    const waiting = aRollout({ policy, step: register, stateReason: 'DelegatesMissing', state: 'Paused' });
    expect(waivesGate(waiting, false)).toBe(true);
    const going = promoted(waiting, { by: 'ada', reason: 'known', full: false, now });
    expect(going.promoted).toEqual(['Register']);
    const waived = { rollout: { promoted: ['Register' as StepName] }, seen: seen('Unknown') };
    expect(nextMove(walker(register, waived))).toMatchObject({ kind: 'Enter' });
    expect(nextMove(walker(quarter, waived))).toMatchObject({ kind: 'Enter' });
  });

  test('its roll is fixed once, in Register', () => {
    const roll = { kind: 'counted', fixedAt: now, tenants: [{ tenant: acme, count: 2 }] } as const;
    const parity = seen('Unknown').delegates?.parity;
    if (parity === undefined) throw new Error('it was given');
    const known = { delegates: { parity, roll } };
    const { rollFixedAt: _fixed, ...fresh } = walker(register).rollout;
    const unfixed = { ...walker(register, { seen: known }), rollout: fresh };
    expect(planRoll(unfixed)).toMatchObject([{ kind: 'FixRoll', roll }]);
    expect(planRoll(walker(register, { seen: known }))).toEqual([]);
    expect(planRoll({ ...unfixed, rollout: { ...fresh, step: { kind: 'Deploy' } } })).toEqual([]);
  });

  test('a version is Registering only while its own rollout waits for delegates', () => {
    expect(stateWhenUp(aRecord({ rollout: aRollout({ policy }) }), v2)).toBe('Registering');
    expect(stateWhenUp(aRecord({ rollout: aRollout({ policy }) }), versionName('v3'))).toBe('Standby');
    expect(stateWhenUp(aRecord({ rollout: aRollout({ policy, state: 'Aborted' }) }), v2)).toBe('Standby');
    expect(stateWhenUp(aRecord({ rollout: aRollout({ policy, step: quarter }) }), v2)).toBe('Standby');
    expect(stateWhenUp(aRecord({ rollout: aRollout({}) }), v2)).toBe('Standby');
  });
});
