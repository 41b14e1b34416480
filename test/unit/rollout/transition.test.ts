import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import { versionName } from '../../../src/model/names.ts';
import { findVersion, type ServiceRecord, VERSION_STATES } from '../../../src/model/state.ts';
import {
  ALLOWED_TRANSITIONS,
  deployVersion,
  endShift,
  ForbiddenTransitionError,
  flipTo,
  giveUpPrevious,
  moveVersion,
  rollBack,
  shiftTo,
} from '../../../src/rollout/transition.ts';
import { aRecord, aVersion } from '../../support/records.ts';

const change = { now: instant(1_000), reason: 'Test' };
const v1 = versionName('v1');
const v2 = versionName('v2');
const v3 = versionName('v3');

function stateOf(record: ServiceRecord, name: string): string | undefined {
  return findVersion(record, versionName(name))?.state;
}

describe('a flip', () => {
  test('makes the version primary and keeps the old primary as the way back', () => {
    const flipped = flipTo(aRecord(), v2, change);
    expect(flipped.traffic).toEqual({ kind: 'steady', primary: 'v2', previous: 'v1' });
    expect([stateOf(flipped, 'v1'), stateOf(flipped, 'v2')]).toEqual(['Standby', 'Primary']);
  });

  test('to a third version ends a running shift', () => {
    const shifting = shiftTo(
      aRecord({ versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v3')] }),
      {
        candidate: v2,
        weight: 10,
        change,
      },
    );
    const flipped = flipTo(shifting, v3, change);
    expect(flipped.traffic).toEqual({ kind: 'steady', primary: 'v3', previous: 'v1' });
    expect(stateOf(flipped, 'v2')).toBe('Standby');
  });
});

describe('a shift', () => {
  test('keeps its salt from the first weight to the last, so that tenants move one way', () => {
    const first = shiftTo(aRecord(), { candidate: v2, weight: 10, change });
    const second = shiftTo({ ...first, generation: 9 }, { candidate: v2, weight: 50, change });
    expect(first.traffic).toMatchObject({ weight: 10 });
    expect(second.traffic).toMatchObject({
      weight: 50,
      salt: first.traffic.kind === 'shifting' ? first.traffic.salt : '',
    });
  });

  test('takes another salt than the shift before it', () => {
    const first = shiftTo(aRecord({ generation: 3 }), { candidate: v2, weight: 10, change });
    const later = shiftTo(
      { ...endShift(first, change), generation: 7 },
      { candidate: v2, weight: 10, change },
    );
    expect(later.traffic).not.toEqual(first.traffic);
  });

  test('to a second candidate is refused while one runs, and the message says what ends it', () => {
    const record = aRecord({
      versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v3')],
    });
    const shifting = shiftTo(record, { candidate: v2, weight: 10, change });
    expect(() => shiftTo(shifting, { candidate: v3, weight: 10, change })).toThrow(
      /shifting to v2 \(10%\); end that first/,
    );
  });

  test('to the primary itself is refused', () => {
    expect(() => shiftTo(aRecord(), { candidate: v1, weight: 10, change })).toThrow(ForbiddenTransitionError);
  });
});

describe('a rollback', () => {
  test('goes to the previous version, and a second one is refused with the reason', () => {
    const back = rollBack(flipTo(aRecord(), v2, change), undefined, change);
    expect(back.traffic).toEqual({ kind: 'steady', primary: 'v1' });
    expect(() => rollBack(back, undefined, change)).toThrow(
      /no previous version: v1 was the first, or was itself reached by a rollback/,
    );
  });

  test('during a shift gives everything back to the primary and keeps the older way back', () => {
    const flipped = flipTo(
      aRecord({ versions: [aVersion('v1', { state: 'Primary' }), aVersion('v2'), aVersion('v3')] }),
      v2,
      change,
    );
    const back = rollBack(shiftTo(flipped, { candidate: v3, weight: 50, change }), undefined, change);
    expect(back.traffic).toEqual({ kind: 'steady', primary: 'v2', previous: 'v1' });
  });
});

describe('version states', () => {
  test('every state is reachable and every allowed step names a known state', () => {
    const reached = new Set(['Deploying', ...Object.values(ALLOWED_TRANSITIONS).flat()]);
    expect([...reached].toSorted()).toEqual([...VERSION_STATES].toSorted());
  });

  test('a step that the table does not allow is refused and names what is allowed', () => {
    expect(() => moveVersion(aRecord(), { version: v1, to: 'Retired', change })).toThrow(
      'can become Standby',
    );
  });

  test('draining always sets the fence', () => {
    expect(findVersion(moveVersion(aRecord(), { version: v2, to: 'Draining', change }), v2)?.fenced).toBe(
      true,
    );
  });
});

const names = ['v1', 'v2', 'v3'] as const;
const step = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), version: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant('shift' as const),
    version: fc.constantFrom(...names),
    weight: fc.integer({ min: 1, max: 99 }),
  }),
  fc.record({ kind: fc.constant('endShift' as const) }),
  fc.record({
    kind: fc.constant('rollback' as const),
    to: fc.option(fc.constantFrom(...names), { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('deploy' as const), version: fc.constantFrom(...names) }),
  fc.record({
    kind: fc.constant('move' as const),
    version: fc.constantFrom(...names),
    to: fc.constantFrom('Draining', 'Drained', 'Retired'),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Operators refuse to drain a version that has traffic or is the way back; the property keeps to that. */
function isOffTraffic({ traffic }: ServiceRecord, version: string): boolean {
  return (
    traffic.kind === 'none' ||
    (traffic.primary !== version && !(traffic.kind === 'shifting' && traffic.candidate === version))
  );
}

function take(record: ServiceRecord, taken: Step): ServiceRecord {
  switch (taken.kind) {
    case 'flip':
      return flipTo(record, versionName(taken.version), change);
    case 'shift':
      return shiftTo(record, { candidate: versionName(taken.version), weight: taken.weight, change });
    case 'endShift':
      return endShift(record, change);
    case 'rollback':
      return rollBack(record, taken.to === undefined ? undefined : versionName(taken.to), change);
    case 'deploy':
      return deployVersion(record, versionName(taken.version), change);
    case 'move': {
      if (!isOffTraffic(record, taken.version)) return record;
      const version = versionName(taken.version);
      return giveUpPrevious(moveVersion(record, { version, to: taken.to, change }), version);
    }
  }
}

test('whatever is asked in whatever order, exactly the primary is Primary, exactly the candidate is Ramping, and the way back is never fenced', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let record = aRecord({
        versions: names.map((name) => aVersion(name, name === 'v1' ? { state: 'Primary' } : {})),
      });
      for (const taken of steps) {
        try {
          record = take(record, taken);
        } catch (error) {
          if (!(error instanceof ForbiddenTransitionError)) throw error;
        }
        const { traffic } = record;
        if (traffic.kind === 'none') throw new Error('a primary was lost');
        const inState = (state: string): string[] =>
          record.versions.filter((version) => version.state === state).map(({ name }) => name);
        expect(inState('Primary')).toEqual([traffic.primary]);
        expect(inState('Ramping')).toEqual(traffic.kind === 'shifting' ? [traffic.candidate] : []);
        if (traffic.previous !== undefined) {
          expect(traffic.previous).not.toBe(traffic.primary);
          // Ramping: an operator may shift to the previous version step by step instead of rolling back.
          expect(findVersion(record, traffic.previous)?.state).toMatch(/^(Standby|Ramping)$/);
        }
      }
    }),
  );
});
