import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import {
  isOpen,
  ROLLOUT_STATES,
  type RolloutRecord,
  type RolloutStep,
  stepName,
} from '../../../src/model/rollout.ts';
import type { Cohort, MirrorSpec } from '../../../src/model/spec.ts';
import type { ServiceRecord, Traffic } from '../../../src/model/state.ts';
import { explain } from '../../../src/routing/explain.ts';
import { serviceRoutes } from '../../../src/routing/table.ts';
import { anInstance, aVersion } from '../../support/records.ts';
import { recordAt, stepsOf } from '../../support/rollout-walk.ts';
import { seed } from '../../support/seed.ts';

const v1 = versionName('v1');
const v2 = versionName('v2');
const cohort: Cohort = {
  tenants: ['zeta', 'acme'].map(tenantName),
  headers: [
    { name: 'x-team', value: 'red' },
    { name: 'x-beta', value: '1' },
  ],
};
const mirror: MirrorSpec = { percent: 10, methods: ['HEAD', 'GET'], grpcMethods: ['/a.B/Get'] };
const policy = { cohort, mirror };
const READY = [anInstance('v1'), anInstance('v2')];
const COHORT_STEP: RolloutStep = { kind: 'Cohort' };

const routesAt = (step: RolloutStep, replaced: Partial<RolloutRecord> = {}, instances = READY) =>
  serviceRoutes(recordAt(step, policy, replaced), instances);

/** What a record adds to its routes, in a word. */
function added(record: ServiceRecord, instances = READY): string {
  const routes = serviceRoutes(record, instances);
  const parts = [routes.cohort && 'cohort', routes.mirror && 'mirror'].filter((part) => part !== undefined);
  return parts.join('+') || 'nothing';
}

describe('a rollout adds', () => {
  test.each([
    ['Deploy', 'nothing'],
    ['Verify', 'mirror'],
    ['Cohort', 'cohort+mirror'],
    ['Shift-5', 'cohort+mirror'],
    ['Shift-50', 'cohort+mirror'],
    ['Shift-100', 'nothing'],
    ['Soak', 'nothing'],
  ])('at %s: %s', (name, what) => {
    const step = stepsOf([5, 50, 100]).find((each) => stepName(each) === name);
    expect(step === undefined ? 'no such step' : added(recordAt(step, policy))).toBe(what);
  });

  test('the cohort and the copies of its policy, sorted', () => {
    expect(routesAt(COHORT_STEP)).toMatchObject({
      cohort: {
        version: 'v2',
        tenants: ['acme', 'zeta'],
        headers: [
          { name: 'x-beta', value: '1' },
          { name: 'x-team', value: 'red' },
        ],
      },
      mirror: { version: 'v2', percent: 10, methods: ['GET', 'HEAD'], grpcMethods: ['/a.B/Get'] },
    });
  });

  test('nothing where its policy has neither', () => {
    expect(added(recordAt(COHORT_STEP))).toBe('nothing');
  });

  test.each(ROLLOUT_STATES)('as long as it goes on: %s', (state) => {
    expect(added(recordAt(COHORT_STEP, policy, { state }))).toBe(isOpen(state) ? 'cohort+mirror' : 'nothing');
  });

  test('nothing while the candidate has no ready endpoint, or takes no requests', () => {
    const record = recordAt(COHORT_STEP, policy);
    expect(added(record, [anInstance('v1'), anInstance('v2', { state: 'Unready' })])).toBe('nothing');
    const retirement = { step: 'Refusing', since: instant(0), waiveStragglers: false } as const;
    const versions = [aVersion('v1', { state: 'Primary' }), aVersion('v2', { state: 'Drained', retirement })];
    expect(added({ ...record, versions })).toBe('nothing');
  });

  test('nothing where an operator has moved the traffic elsewhere', () => {
    const elsewhere: Traffic[] = [
      { kind: 'none' },
      { kind: 'steady', primary: versionName('v3') },
      { kind: 'steady', primary: v2 },
      { kind: 'shifting', primary: v1, candidate: versionName('v3'), weight: 5, salt: '' },
    ];
    const record = recordAt(COHORT_STEP, policy);
    expect(elsewhere.map((traffic) => added({ ...record, traffic }))).toEqual(elsewhere.map(() => 'nothing'));
  });

  test('nothing where an operator has taken all traffic back by hand, but goes on under a weight set by hand', () => {
    const byHand = { state: 'Paused', stateReason: 'OperatorOverride' } as const;
    expect(added(recordAt(COHORT_STEP, policy, byHand))).toBe('nothing');
    expect(added(recordAt({ kind: 'Shift', index: 0, weight: 5 }, policy, byHand))).toBe('cohort+mirror');
    expect(added(recordAt(COHORT_STEP, policy, { state: 'Paused', stateReason: 'Operator' }))).toBe(
      'cohort+mirror',
    );
  });
});

test('a flip and every other step leave the clusters as they are (rule 4)', () => {
  const clusters = stepsOf([5, 100]).map((step) =>
    routesAt(step).versions.map(({ version, takesCopies }) => `${version} ${takesCopies === true}`),
  );
  expect(new Set(clusters.map(String))).toEqual(new Set(['v1 false,v2 true']));
  const ended = routesAt({ kind: 'Soak' }, { state: 'Succeeded' });
  expect(ended.versions.map(({ takesCopies }) => takesCopies)).toEqual([undefined, true]);
});

describe('explain', () => {
  const decide = (step: RolloutStep, headers: [string, string][], record = recordAt(step, policy)) =>
    explain(
      { services: [serviceRoutes(record, READY)] },
      { request: { host: 'a', path: '/', headers, sourceAddress: '10.0.0.1' } },
    );

  test('names the cohort where a tenant or a header of it decides', () => {
    expect(decide(COHORT_STEP, [['x-tenant-id', 'acme']])).toMatchObject({
      rule: 'Cohort',
      outcome: { version: 'v2' },
      because: 'x-tenant-id: acme belongs to the cohort of v2',
    });
    expect(decide(COHORT_STEP, [['X-Beta', '1']])).toMatchObject({
      rule: 'Cohort',
      outcome: { version: 'v2' },
    });
    expect(decide(COHORT_STEP, [['x-beta', '1 ,1']])).toMatchObject({ rule: 'DefaultPrimary' });
    expect(decide(COHORT_STEP, [['x-tenant-id', 'globex']])).toMatchObject({ rule: 'DefaultPrimary' });
  });

  test('lets a hold win over the cohort', () => {
    const hold = {
      tenant: tenantName('acme'),
      version: v1,
      reason: '',
      by: '',
      since: instant(0),
      expires: instant(1),
    };
    const record = { ...recordAt(COHORT_STEP, policy), holds: [hold] };
    expect(decide(COHORT_STEP, [['x-tenant-id', 'acme']], record)).toMatchObject({
      rule: 'Hold',
      outcome: { version: 'v1' },
    });
    expect(decide(COHORT_STEP, [['x-tenant-id', 'zeta']], record)).toMatchObject({ rule: 'Cohort' });
    // A header says nothing of the tenant's hold, so the hold is asked first.
    expect(
      decide(
        COHORT_STEP,
        [
          ['x-tenant-id', 'acme'],
          ['x-beta', '1'],
        ],
        record,
      ),
    ).toMatchObject({ rule: 'Hold' });
  });

  test('says which share of the default requests is copied, and that no other is', () => {
    expect(decide({ kind: 'Verify' }, [])).toMatchObject({
      rule: 'DefaultPrimary',
      copied: { version: 'v2', percent: 10 },
      because: expect.stringContaining('10 percent of such requests are copied to v2'),
    });
    expect(decide({ kind: 'Verify' }, [['x-delegate-version', 'v1']])).not.toHaveProperty('copied');
    expect(decide({ kind: 'Verify' }, [['upgrade', 'websocket']])).not.toHaveProperty('copied');
    expect(decide(COHORT_STEP, [['x-beta', '1']])).not.toHaveProperty('copied');
    expect(decide({ kind: 'Soak' }, [])).not.toHaveProperty('copied');
  });
});

test('as a rollout walks on, no tenant moves back from the candidate, in the cohort or not (rule 3)', () => {
  const weights = fc
    .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 6 })
    .map((some) => [...some.toSorted((left, right) => left - right), 100]);
  const tenants = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 20 });
  const property = fc.property(weights, tenants, fc.nat({ max: 20 }), (rising, names, inCohort) => {
    const chosen = { cohort: { tenants: names.slice(0, inCohort).map(tenantName), headers: [] } };
    for (const name of names) {
      const walk = stepsOf(rising).map((step) => {
        const record = recordAt(step, chosen);
        const request = { host: 'a', path: '/', headers: [['x-tenant-id', name]] as const };
        const { outcome } = explain({ services: [serviceRoutes(record, READY)] }, { request });
        return outcome.kind === 'Version' ? outcome.version : outcome.kind;
      });
      const moved = walk.indexOf(v2);
      expect(walk.at(-1)).toBe('v2');
      expect(new Set(walk.slice(0, moved))).toEqual(new Set(['v1']));
      expect(new Set(walk.slice(moved))).toEqual(new Set(['v2']));
      if (names.indexOf(name) < inCohort) expect(moved).toBe(2);
    }
  });
  fc.assert(property, { seed: seed(), numRuns: 100 });
});
