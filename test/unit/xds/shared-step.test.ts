import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instant } from '../../../src/model/instant.ts';
import type { AnswerTo } from '../../../src/xds/knowledge.ts';
import { RESOURCE_TYPES } from '../../../src/xds/resource.ts';
import { newSession, type Session, type SessionEvent, step } from '../../../src/xds/session.ts';
import { createSharedStep } from '../../../src/xds/shared-step.ts';
import { nextSnapshot, type Snapshot, type Target } from '../../../src/xds/snapshot.ts';
import { seed } from '../../support/seed.ts';
import { scene } from '../../support/xds-script.ts';
import { translateSimulated } from '../../support/xds-simulation.ts';

const snapshots = ['a', 'b', 'a'].reduce<Snapshot[]>((before, routed, index) => {
  const { envoy } = translateSimulated(scene({ clusters: { a: '1', b: '1' }, routes: [routed] }));
  const translation = { envoy, grpc: envoy };
  return [...before, nextSnapshot({ publication: index + 1, translation, previous: before.at(-1) })];
}, []);
const targets = snapshots.map((snapshot) => snapshot.targetFor({ kind: 'envoy' }));

const names = fc.subarray(['a', 'b', 'gateway', '*', 'a\nb', 'a","b']);
const answers: fc.Arbitrary<AnswerTo> = fc.oneof(
  fc.constantFrom<AnswerTo>({ kind: 'nothing' }, { kind: 'unknown' }),
  fc.integer({ min: 1, max: 12 }).map((serial): AnswerTo => ({ kind: 'response', serial })),
);
const common = {
  answers,
  at: fc.nat().map((time) => instant(time)),
};
const type = fc.constantFrom(...RESOURCE_TYPES);
const version = fc.constantFrom('', '1', 'a');
const sotw = fc.record({ dialect: fc.constant('sotw' as const), names, version, ...common });
const rejected = fc.record({
  dialect: fc.constant('sotw' as const),
  names,
  version,
  ...common,
  error: fc.constantFrom('bad', 'worse'),
});
const delta = fc.record({
  dialect: fc.constant('delta' as const),
  subscribe: names,
  unsubscribe: names,
  ...common,
  initialVersions: fc.constantFrom(new Map<string, string>(), new Map([['a', '1']])),
});
const retarget = fc.constantFrom(...targets).map((each): SessionEvent => ({ kind: 'Target', target: each }));
const passing = fc.constantFrom<SessionEvent>(
  { kind: 'BurstOver' },
  { kind: 'PatienceOver' },
  { kind: 'Drained' },
);

/** What one proxy does; a proxy keeps to one dialect. */
const history = fc.constantFrom('sotw', 'delta').chain((dialect) => {
  const requests = dialect === 'sotw' ? fc.oneof({ weight: 3, arbitrary: sotw }, rejected) : delta;
  const request = fc.record({ kind: fc.constant('Request' as const), type, request: requests });
  return fc.array(fc.oneof({ weight: 4, arbitrary: request }, retarget, passing), { maxLength: 12 });
});

describe('a step that is shared', () => {
  test('gives every proxy what it would get alone, whatever others have sent before', () => {
    const property = fc.property(fc.array(history, { minLength: 2, maxLength: 6 }), (proxies) => {
      const shared = createSharedStep();
      for (const events of [...proxies, ...proxies]) {
        let session: Session = newSession({ kind: 'envoy', shape: 'aggregated' });
        let alone = session;
        for (const event of events) {
          const from = { event, blocked: new Set<never>() };
          const result = shared.step({ ...from, session });
          const expected = step({ ...from, session: alone });
          expect(result).toEqual(expected);
          session = result.session;
          alone = expected.session;
        }
      }
    });
    fc.assert(property, { seed: seed(), numRuns: 60 });
  });

  const base = { names: ['a', 'b'], version: '1', answers: { kind: 'nothing' } as AnswerTo };
  test.each([
    ['in a name that looks like two', { names: ['a\nb'] }],
    ['in a name that is quoted', { names: ['a","b'] }],
    ['in the order of the names', { names: ['b', 'a', 'c'] }],
    ['in the version', { version: '' }],
    ['in what it answers', { answers: { kind: 'unknown' } as AnswerTo }],
  ])('is not shared by requests that differ %s', (_, different) => {
    const shared = createSharedStep();
    const target: SessionEvent = { kind: 'Target', target: targets[0] as Target };
    const blocked = new Set<never>();
    const { session } = step({
      session: newSession({ kind: 'envoy', shape: 'aggregated' }),
      event: target,
      blocked,
    });
    const [one, other] = [base, { ...base, ...different }].map((parts): SessionEvent => {
      const request = { dialect: 'sotw' as const, at: instant(0), ...parts };
      return { kind: 'Request', type: 'endpoints', request };
    }) as [SessionEvent, SessionEvent];
    const first = shared.step({ session, event: one, blocked });
    const second = shared.step({ session, event: other, blocked });
    expect(second).not.toBe(first);
    expect(second).toEqual(step({ session, event: other, blocked }));
  });

  test('is computed once for proxies in the same situation, and again after it was forgotten', () => {
    const shared = createSharedStep();
    const [first, second] = targets;
    if (first === undefined || second === undefined) throw new Error('there are no targets');
    const session = newSession({ kind: 'envoy', shape: 'aggregated' });
    const blocked = new Set<never>();
    const event: SessionEvent = { kind: 'Target', target: first };
    const result = shared.step({ session, event, blocked });
    expect(shared.step({ session, event, blocked })).toBe(result);
    expect(shared.step({ session, event: { kind: 'Target', target: second }, blocked })).not.toBe(result);
    shared.forget();
    expect(shared.step({ session, event, blocked })).not.toBe(result);
  });

  test('is not shared where a stream is full', () => {
    const shared = createSharedStep();
    const session = newSession({ kind: 'envoy', shape: 'aggregated' });
    const event: SessionEvent = { kind: 'BurstOver' };
    const result = shared.step({ session, event, blocked: new Set() });
    expect(shared.step({ session, event, blocked: new Set(['routes']) })).not.toBe(result);
  });
});
