import { describe, expect, test } from 'vitest';
import { type Instant, instant } from '../../../src/model/instant.ts';
import type { Verdict } from '../../../src/model/measurement.ts';
import { versionName } from '../../../src/model/names.ts';
import type { RolloutRecord, RolloutStep, StepName } from '../../../src/model/rollout.ts';
import type { ServiceRecord } from '../../../src/model/state.ts';
import type { Observation, RolloutObservation } from '../../../src/rollout/observation.ts';
import { type Move, nextMove, walkerOf } from '../../../src/rollout/walk.ts';
import { anInstance, aProcessesSpec, aRecord, aVersion } from '../../support/records.ts';
import { aRollout, aTraffic, aVerification } from '../../support/rollouts.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const now = instant(1_000_000);
const everywhere = { isEverywhere: true, behind: [], rejected: [] };
const steps = aTraffic({ steps: [25, 100] });
const verified = { traffic: steps, verification: aVerification() };
function verdict(state: Verdict['state']): Verdict {
  return { state, because: `it is ${state}`, deciding: ['errors'] };
}

/** The next move at a step, with both versions ready and every proxy in step, unless the test says otherwise. */
function moveAt(
  step: RolloutStep,
  given: {
    rollout?: Partial<RolloutRecord>;
    record?: Partial<ServiceRecord>;
    seen?: Partial<RolloutObservation>;
    observed?: Partial<Observation>;
  } = {},
): Move | undefined {
  const rollout = aRollout({
    policy: verified,
    step,
    ...(step.kind === 'Deploy' ? {} : { stepEverywhere: instant(now - 5_000) }),
    stepSince: instant(now - 10_000),
    ...given.rollout,
  });
  const record = aRecord({ rollout, ...given.record });
  const observed: Observation = {
    now,
    instances: [anInstance('v1'), anInstance('v2')],
    offered: [],
    work: new Map(),
    stillRouting: new Map(),
    removals: new Map(),
    rollout: { runs: [], shown: everywhere, ...given.seen },
    ...given.observed,
  };
  const walker = walkerOf(record, observed);
  return walker === undefined ? undefined : nextMove(walker);
}

const verify: RolloutStep = { kind: 'Verify' };
const quarter: RolloutStep = { kind: 'Shift', index: 0, weight: 25 };
const flip: RolloutStep = { kind: 'Shift', index: 1, weight: 100 };
const soak: RolloutStep = { kind: 'Soak' };
const flipped: Partial<ServiceRecord> = {
  traffic: { kind: 'steady', primary: v2, previous: v1 },
  versions: [aVersion('v1'), aVersion('v2', { state: 'Primary' })],
};
const soaking = { policy: { ...verified, verification: aVerification({ soak: 60_000 }) } };
const waived = (...names: string[]): Partial<RolloutRecord> => ({ promoted: names as StepName[] });
describe('Deploy', () => {
  test('waits until all instances that the spec asks for are ready, and says how many are', () => {
    const spec = aProcessesSpec();
    const two = spec.runtime.kind === 'processes' ? { ...spec.runtime, instances: 2 } : spec.runtime;
    const record = { spec: { ...spec, runtime: two } };
    expect(moveAt({ kind: 'Deploy' }, { record })).toMatchObject({
      state: 'Progressing',
      because: '1 of 2 instances of v2 ready',
    });
    const observed = { instances: [anInstance('v1'), anInstance('v2'), anInstance('v2')] };
    expect(moveAt({ kind: 'Deploy' }, { record, observed })).toMatchObject({ kind: 'Enter', step: verify });
  });

  test('fails at the progress deadline, names what is wrong, and has moved no traffic', () => {
    const late = {
      rollout: { stepSince: instant(0), policy: { traffic: aTraffic({ progressDeadline: 1_000 }) } },
    };
    const instances = [anInstance('v2', { id: 'v2-1', state: 'Failed', reason: 'exit 1' })];
    expect(moveAt({ kind: 'Deploy' }, { ...late, observed: { instances } })).toMatchObject({
      kind: 'End',
      state: 'Failed',
      because: '0 of 1 instances of v2 ready at the progress deadline (v2-1: exit 1)',
    });
  });

  test('waits for room where one version more than retention.max would be up, and names those that are', () => {
    const versions = [aVersion('v1', { state: 'Primary' }), aVersion('v0', { state: 'Draining' })];
    const spec = { ...aRecord().spec, retention: { keep: 2, max: 2 } };
    expect(moveAt({ kind: 'Deploy' }, { record: { versions, spec } })).toMatchObject({
      state: 'Waiting',
      reason: 'RetentionMax',
      because: expect.stringContaining('v1 (Primary), v0 (Draining)'),
    });
    expect(moveAt({ kind: 'Deploy' }, { record: { versions } })).toMatchObject({ kind: 'Deploy' });
  });
});

describe('gates', () => {
  test('a passed gate lets it go on; with no check there is no gate', () => {
    expect(moveAt(verify, { seen: { verdict: verdict('Passed') } })).toMatchObject({
      kind: 'Enter',
      step: quarter,
    });
    expect(moveAt(quarter)).toMatchObject({ kind: 'Enter', step: flip });
  });

  test('a failed gate aborts before the flip, and marks the version bad', () => {
    for (const step of [verify, quarter]) {
      expect(moveAt(step, { seen: { verdict: verdict('Failed') } })).toMatchObject({
        kind: 'End',
        state: 'Aborted',
        isBad: true,
      });
    }
  });

  test('a failed gate aborts a paused rollout too, but not one that an operator has taken over', () => {
    const seen = { verdict: verdict('Failed') };
    const paused = { state: 'Paused', stateReason: 'Operator' } as const;
    expect(moveAt(quarter, { seen, rollout: paused })).toMatchObject({ state: 'Aborted' });
    const overridden = { state: 'Paused', stateReason: 'OperatorOverride' } as const;
    expect(moveAt(quarter, { seen, rollout: overridden })).toMatchObject({ kind: 'Stay', state: 'Paused' });
  });

  test('rule 10: no data never lets it go on, and is Inconclusive at the deadline', () => {
    const seen = { verdict: verdict('NoData') };
    expect(moveAt(verify, { seen })).toMatchObject({ state: 'Progressing', reason: 'NoData' });
    const late = { stepEverywhere: instant(0) };
    expect(moveAt(verify, { seen, rollout: late })).toMatchObject({
      state: 'Inconclusive',
      reason: 'NoData',
    });
  });

  test('an error or an undecided check stops it for a person; promoted past that step, it goes on', () => {
    for (const state of ['Error', 'Inconclusive'] as const) {
      const seen = { verdict: verdict(state) };
      expect(moveAt(verify, { seen })).toMatchObject({ kind: 'Stay', state: 'Inconclusive' });
      expect(moveAt(verify, { seen, rollout: waived('Verify') })).toMatchObject({ kind: 'Enter' });
    }
  });

  test('a promotion past a step does not let a failed gate through', () => {
    const seen = { verdict: verdict('Failed') };
    expect(moveAt(verify, { seen, rollout: waived('Verify') })).toMatchObject({ state: 'Aborted' });
    expect(moveAt(verify, { seen, rollout: { fullyPromotedBy: 'ann' } })).toMatchObject({ kind: 'Enter' });
  });
});

describe('a step counts when every connected proxy has it', () => {
  const fresh: Partial<RolloutRecord> = { stepSince: instant(now - 1_000) };
  const { stepEverywhere: _none, ...notEverywhere } = aRollout({ policy: verified, step: quarter, ...fresh });

  test('until then it names those that are behind', () => {
    const shown = { isEverywhere: false, behind: ['gw-1'], rejected: [] };
    const record = { rollout: notEverywhere };
    expect(moveAt(quarter, { record, seen: { shown } })).toMatchObject({
      state: 'Progressing',
      because: 'Shift-25 is not everywhere yet: gw-1',
    });
    expect(moveAt(quarter, { record })).toMatchObject({ kind: 'Everywhere' });
  });

  test('a rejection holds the shift, in the words of the proxy', () => {
    const shown = { isEverywhere: false, behind: [], rejected: ['gw-1 rejected routes: no such cluster'] };
    expect(moveAt(quarter, { record: { rollout: notEverywhere }, seen: { shown } })).toMatchObject({
      state: 'Inconclusive',
      reason: 'ProxyRejected',
      because: 'Shift-25 is held: gw-1 rejected routes: no such cluster',
    });
  });
});

describe('what keeps traffic from moving forward, and never from moving back', () => {
  const passed = { verdict: verdict('Passed') };
  const failed = { verdict: verdict('Failed') };
  const freeze = { reason: 'holidays', by: 'ann', since: instant(0) };
  const closed = { days: ['Sunday' as const], startMinute: 0, duration: 60_000 };
  const cases: [string, Parameters<typeof moveAt>[1], object][] = [
    ['a freeze', { record: { freeze } }, { state: 'Waiting', reason: 'Frozen' }],
    [
      'a closed window',
      { rollout: { policy: { ...verified, traffic: { ...steps, windows: [closed] } } } },
      { state: 'Waiting', reason: 'WindowClosed' },
    ],
    [
      'an approval',
      { rollout: { policy: { ...verified, traffic: { ...steps, approvals: [25, 100] } } } },
      { state: 'Paused', reason: 'Approval' },
    ],
    [
      'manual promotion',
      { rollout: { policy: { ...verified, traffic: { ...steps, promotion: 'Manual' } } } },
      { state: 'Paused', reason: 'Approval' },
    ],
    [
      'a fence',
      { record: { versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { fenced: true })] } },
      { state: 'Waiting', reason: 'Fenced' },
    ],
  ];
  test.for(cases)('%s', ([, given, expected]) => {
    expect(moveAt(verify, { ...given, seen: passed })).toMatchObject({ kind: 'Stay', ...expected });
    expect(moveAt(verify, { ...given, seen: failed })).toMatchObject({ kind: 'End', state: 'Aborted' });
  });

  test('a freeze that is over, and a window when the rollout is urgent, keep nothing', () => {
    const over = { ...freeze, until: instant(now - 1) };
    expect(moveAt(verify, { record: { freeze: over }, seen: passed })).toMatchObject({ kind: 'Enter' });
    const policy = { ...verified, traffic: { ...steps, windows: [closed] } };
    expect(moveAt(verify, { rollout: { policy, urgent: true }, seen: passed })).toMatchObject({
      kind: 'Enter',
    });
  });

  test('an urgent rollout does not skip a gate or a freeze', () => {
    const urgent = { urgent: true };
    const running = { verdict: verdict('Running') };
    expect(moveAt(verify, { rollout: urgent, seen: running })).toMatchObject({ reason: 'Verifying' });
    const frozen = { rollout: urgent, record: { freeze }, seen: passed };
    expect(moveAt(verify, frozen)).toMatchObject({ reason: 'Frozen' });
  });

  test('a step lasts as long as the policy says', () => {
    const policy = { ...verified, traffic: { ...steps, stepDuration: 60_000 } };
    expect(moveAt(quarter, { rollout: { policy }, seen: passed })).toMatchObject({ reason: 'StepDuration' });
  });

  test('rehearsal: without a way back it does not flip by itself', () => {
    const observed = { instances: [anInstance('v2')] };
    expect(moveAt(quarter, { seen: passed, observed })).toMatchObject({
      state: 'Inconclusive',
      reason: 'WayBackNotReady',
      because: expect.stringContaining('v1 has no ready endpoint'),
    });
    expect(moveAt(quarter, { seen: passed, observed, rollout: waived('Shift-100') })).toMatchObject({
      kind: 'Enter',
    });
  });
});

test('rule 2: a candidate that loses its last ready endpoint during the shift is aborted, and not called bad', () => {
  expect(moveAt(quarter, { observed: { instances: [anInstance('v1')] } })).toMatchObject({
    kind: 'End',
    state: 'Aborted',
    reason: 'NoReadyEndpoint',
    isBad: false,
  });
});

describe('Soak', () => {
  const at = (ago: number): { stepEverywhere: Instant } => ({ stepEverywhere: instant(now - ago) });

  test('a failure flips back by itself', () => {
    const seen = { verdict: verdict('Failed') };
    expect(moveAt(soak, { rollout: soaking, record: flipped, seen })).toMatchObject({
      kind: 'End',
      state: 'RolledBack',
      isBad: true,
    });
  });

  test('it does not flip back to a version that is not ready', () => {
    const seen = { verdict: verdict('Failed') };
    const observed = { instances: [anInstance('v2')] };
    expect(moveAt(soak, { rollout: soaking, record: flipped, seen, observed })).toMatchObject({
      kind: 'Stay',
      state: 'Inconclusive',
      reason: 'NoWayBack',
    });
  });

  test('no data in the soak is neither success nor rollback', () => {
    const seen = { verdict: verdict('NoData') };
    for (const ago of [1_000, 100_000]) {
      expect(moveAt(soak, { rollout: { ...soaking, ...at(ago) }, record: flipped, seen })).toMatchObject({
        kind: 'Stay',
        state: 'Inconclusive',
        reason: 'NoData',
      });
    }
  });

  test('it succeeds when the time is over and the gate has passed', () => {
    const seen = { verdict: verdict('Passed') };
    expect(moveAt(soak, { rollout: { ...soaking, ...at(59_000) }, record: flipped, seen })).toMatchObject({
      reason: 'Soaking',
    });
    expect(moveAt(soak, { rollout: { ...soaking, ...at(60_000) }, record: flipped, seen })).toMatchObject({
      kind: 'End',
      state: 'Succeeded',
    });
  });
});
