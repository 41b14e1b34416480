import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import { findVersion, type ServiceRecord } from '../../../src/model/state.ts';
import type { Observation } from '../../../src/rollout/observation.ts';
import { isRecording, type PlanAction, plan } from '../../../src/rollout/plan.ts';
import { applyActions } from '../../../src/rollout/record.ts';
import { anInstance, aProcessesSpec, aRecord, aSpec, aVersion } from '../../support/records.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');

function observed(replaced: Partial<Observation> = {}): Observation {
  return {
    now: instant(10_000),
    instances: [anInstance('v1'), anInstance('v2')],
    offered: [],
    work: new Map(),
    stillRouting: new Map(),
    removals: new Map(),
    ...replaced,
  };
}

const drainable = aSpec({ drain: { source: { kind: 'http', fencePath: '/drain', openWorkPath: '/work' } } });
const atWork = (open: number | undefined, fenceConfirmed = true): Observation['work'] =>
  new Map([[v2, { fenceConfirmed, liftConfirmed: false, open, problem: '' }]]);

function kinds(actions: readonly PlanAction[]): string[] {
  return actions.map((action) =>
    action.kind === 'MoveVersion' ? `${action.version} -> ${action.to}` : action.kind,
  );
}

test('nothing is planned where everything is as recorded', () => {
  expect(plan(aRecord(), observed())).toEqual([]);
});

describe('bringing versions up', () => {
  test('a version becomes Standby when its first instance is ready, not before', () => {
    const record = aRecord({
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Deploying' })],
    });
    expect(
      plan(record, observed({ instances: [anInstance('v1'), anInstance('v2', { state: 'Starting' })] })),
    ).toEqual([]);
    expect(kinds(plan(record, observed()))).toEqual(['v2 -> Standby']);
  });

  test('the first wanted version becomes primary once it is ready', () => {
    const record = aRecord({ traffic: { kind: 'none' }, versions: [aVersion('v1', { state: 'Deploying' })] });
    expect(plan(record, observed({ instances: [] }))).toEqual([]);
    expect(kinds(plan(record, observed({ instances: [anInstance('v1')] })))).toEqual([
      'v1 -> Standby',
      'FirstPrimary',
    ]);
  });

  test('another version that happens to be ready first does not become primary', () => {
    const record = aRecord({
      traffic: { kind: 'none' },
      versions: [aVersion('v1', { state: 'Deploying' }), aVersion('v2')],
    });
    expect(plan(record, observed({ instances: [anInstance('v2')] }))).toEqual([]);
  });

  test('a version that is listed by address is added', () => {
    expect(kinds(plan(aRecord(), observed({ offered: [v1, versionName('v3')] })))).toEqual(['AddVersion']);
  });
});

describe('rule 2: a candidate that loses its last ready endpoint', () => {
  test('gives its share back and the shift is over', () => {
    const shifting = aRecord({
      traffic: { kind: 'shifting', primary: v1, candidate: v2, weight: 30, salt: 's' },
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Ramping' })],
    });
    const [action] = plan(
      shifting,
      observed({ instances: [anInstance('v1'), anInstance('v2', { state: 'Unready' })] }),
    );
    expect(action).toMatchObject({ kind: 'EndShift', because: 'v2 lost its last ready endpoint at 30%' });
  });

  test('a primary that does keeps the traffic: no flip by itself', () => {
    expect(plan(aRecord(), observed({ instances: [anInstance('v2')] }))).toEqual([]);
  });
});

describe('rule 8: draining', () => {
  const draining = aRecord({
    spec: drainable,
    versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Draining', fenced: true })],
  });

  test('a version is Drained only when the work was counted to zero behind a confirmed fence', () => {
    expect(kinds(plan(draining, observed()))).toEqual(['FenceAndCount']);
    expect(kinds(plan(draining, observed({ work: atWork(3) })))).toEqual(['FenceAndCount']);
    expect(kinds(plan(draining, observed({ work: atWork(undefined) })))).toEqual(['FenceAndCount']);
    expect(kinds(plan(draining, observed({ work: atWork(0, false) })))).toEqual(['FenceAndCount']);
    expect(kinds(plan(draining, observed({ work: atWork(0) })))).toEqual(['v2 -> Drained', 'FenceAndCount']);
  });

  test.each([
    ['atomic', '0 counted in one transaction with the fence'],
    ['observed', '0 counted behind the fence'],
  ] as const)(
    'a move to Drained says that its certificate is %s, and so does the retirement',
    (certificate, how) => {
      const [work] = [...atWork(0).values()];
      if (work === undefined) throw new Error('work is meant');
      const seen = observed({ work: new Map([[v2, { ...work, certificate }]]) });
      expect(plan(draining, seen)[0]).toMatchObject({
        kind: 'MoveVersion',
        certificate,
        because: `no open work on v2, certificate: ${certificate}, ${how}`,
      });
      const teardown = { since: instant(0), because: 'retention' };
      const drained = aVersion('v2', { state: 'Drained', fenced: true, teardown, certificate });
      const tornDown = { ...draining, versions: [aVersion('v1', { state: 'Primary' }), drained] };
      // Whether it was counted anew since then or not.
      for (const now of [observed(), seen]) {
        expect(plan(tornDown, now).find(({ kind }) => kind === 'BeginRetirement')?.because).toMatch(
          `certificate: ${certificate}, ${how}`,
        );
      }
    },
  );

  test('a version is fenced only when no proxy may still send it default traffic, unless an operator waived that', () => {
    const stillRouting = new Map([[v2, ['gateway-1']]]);
    expect(plan(draining, observed({ stillRouting }))).toEqual([]);
    const waived = {
      ...draining,
      versions: draining.versions.map((version) => ({ ...version, fenceAtOnce: true })),
    };
    expect(kinds(plan(waived, observed({ stillRouting })))).toEqual(['FenceAndCount']);
  });

  test('work that appears on a drained version takes it back to Draining', () => {
    const drained = aRecord({
      spec: drainable,
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Drained', fenced: true })],
    });
    expect(kinds(plan(drained, observed({ work: atWork(1) })))).toEqual(['v2 -> Draining', 'FenceAndCount']);
  });

  test('without a source nobody counts, and the version never drains by itself', () => {
    const record = aRecord({
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Draining', fenced: true })],
    });
    expect(plan(record, observed())).toEqual([]);
  });

  test('a fenced version that takes traffic again has its fence lifted', () => {
    const back = aRecord({
      spec: drainable,
      versions: [aVersion('v1', { state: 'Primary', fenced: true }), aVersion('v2')],
    });
    expect(kinds(plan(back, observed()))).toEqual(['LiftFence']);
    const work = new Map([
      [v1, { fenceConfirmed: false, liftConfirmed: true, open: undefined, problem: '' }],
    ]);
    expect(kinds(plan(back, observed({ work })))).toEqual(['ForgetFence']);
  });
});

function retiring(
  step: 'Refusing' | 'RemovingCluster' | 'StoppingInstances',
  waiveStragglers = false,
  spec = drainable,
): ServiceRecord {
  const retirement = { step, since: instant(0), waiveStragglers };
  return aRecord({
    spec,
    versions: [
      aVersion('v1', { state: 'Primary' }),
      aVersion('v2', { state: 'Drained', fenced: true, retirement }),
    ],
  });
}
const shown = (step: 'Refusing' | 'RemovingCluster', waitingFor: string[]): Observation =>
  observed({ removals: new Map([[v2, { step, waitingFor }]]) });

describe('rule 8: retiring', () => {
  test('each step waits until every proxy has acknowledged the one before', () => {
    expect(plan(retiring('Refusing'), observed())).toEqual([]);
    expect(plan(retiring('Refusing'), shown('Refusing', ['gateway-1']))).toEqual([]);
    expect(plan(retiring('Refusing'), shown('Refusing', []))).toMatchObject([
      { kind: 'AdvanceRetirement', to: 'RemovingCluster' },
    ]);
    expect(plan(retiring('RemovingCluster'), shown('Refusing', []))).toEqual([]);
    expect(plan(retiring('RemovingCluster'), shown('RemovingCluster', []))).toMatchObject([
      { to: 'StoppingInstances' },
    ]);
  });

  test('a waiver goes on without the stragglers and names them', () => {
    const [action] = plan(retiring('Refusing', true), shown('Refusing', ['gateway-1']));
    expect(action).toMatchObject({ kind: 'AdvanceRetirement', because: 'waived for gateway-1' });
  });

  test('the version is Retired when its instances are gone; addresses that somebody else runs are not waited for', () => {
    const processes = aProcessesSpec({ drain: drainable.drain });
    expect(plan(retiring('StoppingInstances', false, processes), observed())).toEqual([]);
    expect(kinds(plan(retiring('StoppingInstances', false, processes), observed({ instances: [] })))).toEqual(
      ['v2 -> Retired'],
    );
    expect(kinds(plan(retiring('StoppingInstances'), observed()))).toEqual(['v2 -> Retired']);
  });
});

test('a hold ends when it expires', () => {
  const hold = {
    tenant: tenantName('acme'),
    version: v1,
    reason: '',
    by: '',
    since: instant(0),
    expires: instant(10_000),
  };
  expect(kinds(plan(aRecord({ holds: [hold] }), observed()))).toEqual(['ReleaseHold']);
  expect(plan(aRecord({ holds: [{ ...hold, expires: instant(10_001) }] }), observed())).toEqual([]);
});

const states = fc.constantFrom('Deploying', 'Registering', 'Standby', 'Draining', 'Drained', 'Retired');
const worlds = fc.record({
  states: fc.tuple(states, states),
  ready: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  weight: fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }),
  open: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }),
});

test('replanning after the recording actions were applied ends: the plan settles and never loses the primary', () => {
  fc.assert(
    fc.property(worlds, ({ states: [second, third], ready, weight, open }) => {
      const instances = ['v1', 'v2', 'v3'].filter((_, index) => ready[index]).map((name) => anInstance(name));
      const ramping = weight !== undefined;
      let record = aRecord({
        spec: drainable,
        traffic: ramping
          ? { kind: 'shifting', primary: v1, candidate: v2, weight, salt: 's' }
          : { kind: 'steady', primary: v1 },
        versions: [
          aVersion('v1', { state: 'Primary' }),
          aVersion('v2', {
            state: ramping ? 'Ramping' : second,
            fenced: !ramping && second.startsWith('Drain'),
          }),
          aVersion('v3', { state: third, fenced: third.startsWith('Drain') }),
        ],
      });
      const observation = observed({ instances, work: atWork(open) });
      for (let round = 0; ; round += 1) {
        const recording = plan(record, observation).filter(isRecording);
        if (recording.length === 0) break;
        expect(round).toBeLessThan(5);
        record = applyActions({ record, actions: recording, now: observation.now }).record;
      }
      expect(record.traffic).toMatchObject({ primary: 'v1' });
      expect(findVersion(record, v1)?.state).toBe('Primary');
    }),
  );
});
