import { expect, test } from 'vitest';
import { type ParityInput, parity } from '../../../src/goalstate/parity.ts';
import { fixRoll } from '../../../src/goalstate/roll.ts';
import type { DelegateAnswer } from '../../../src/model/delegates.ts';
import type { BoxVersion, WatcherRecord } from '../../../src/model/goal-state.ts';
import { instant } from '../../../src/model/instant.ts';
import { tenantName, versionName } from '../../../src/model/names.ts';
import type { DelegateRegistration } from '../../../src/model/workflow.ts';
import { aWatcher, aWave, v1, v2, wavesOf } from '../../support/goals.ts';
import { boxId, boxVersion } from '../../support/watchers.ts';

const HOUR = 3_600_000;
const now = instant(20 * HOUR);
const spec = { deadline: HOUR, onMissing: 'HoldBack', maxHeldBack: 50, activeWithin: 24 * HOUR } as const;

function registration(
  delegate: string,
  version: string,
  { tenant = 'acme', lastSeen = now }: { readonly tenant?: string; readonly lastSeen?: number } = {},
): DelegateRegistration {
  return {
    delegate: boxId(delegate),
    tenant: tenantName(tenant),
    version: versionName(version),
    tags: [],
    capacity: 1,
    running: 0,
    manager: 'm1' as never,
    since: instant(0),
    lastSeen: instant(lastSeen),
  };
}

const named = (...delegates: readonly DelegateRegistration[]): DelegateAnswer => ({
  kind: 'named',
  asOf: now,
  delegates,
});

function judge(
  answer: DelegateAnswer,
  watchers: readonly WatcherRecord[] = [],
  replaced: Partial<ParityInput> = {},
) {
  return parity({
    roll: fixRoll({ answer, baseline: v1, activeWithin: spec.activeWithin, now }),
    answer,
    watchers: new Map(watchers.map((watcher) => [watcher.identity.id, watcher])),
    decommissioned: new Set(),
    candidate: v2,
    baseline: v1,
    spec,
    waves: undefined,
    leftOut: '',
    startedAt: now,
    now,
    ...replaced,
  });
}

const onBoth = (delegate: string, tenant = 'acme') => [
  registration(delegate, 'v1', { tenant }),
  registration(delegate, 'v2', { tenant }),
];
const late = { startedAt: instant(now - HOUR) };

test('a delegate is ready when it is registered at the candidate; a tenant passes when all its connected ones are', () => {
  const { verdict, because, lines } = judge(named(...onBoth('a'), ...onBoth('b', 'globex')));
  expect(verdict).toEqual({ kind: 'Passed' });
  expect(because).toBe('2 of 2 delegates registered at v2, in all 2 tenants');
  expect(lines).toEqual([]);
});

test('a box of one tenant says nothing of a box of another that has the same name', () => {
  const answer = named(
    ...onBoth('box-1', 'acme'),
    registration('box-1', 'v1', { tenant: 'globex' }),
    registration('box-2', 'v1', { tenant: 'globex' }),
  );
  const { tenants, expected } = judge(answer, [
    aWatcher({ id: 'box-2', tenant: 'acme', maxVersions: 1, versions: [boxVersion('v2', 'Ready')] }),
  ]);
  expect(expected).toBe(3);
  const [acme, globex] = tenants;
  expect(acme).toMatchObject({ tenant: 'acme', state: 'Passed', ready: 1 });
  expect(globex).toMatchObject({ tenant: 'globex', state: 'Missing', ready: 0, switching: [] });
  expect(globex?.missing.map(({ delegate, reason }) => [delegate, reason])).toEqual([
    ['box-1', 'Unknown'],
    ['box-2', 'Unknown'],
  ]);
});

test('who is missing is named, with the reason that its watcher gives', () => {
  const answer = named(
    ...onBoth('a'),
    ...onBoth('b'),
    ...onBoth('c'),
    registration('box-7', 'v1'),
    registration('box-9', 'v1'),
  );
  const watchers = [
    aWatcher({
      id: 'box-7',
      versions: [boxVersion('v2', 'WaitingForWindow')],
      report: { windowOpens: instant(22 * HOUR), versions: [boxVersion('v2', 'WaitingForWindow')] },
    }),
    aWatcher({ id: 'box-9', versions: [boxVersion('v2', 'CrashLooping', 'exited with code 1')] }),
  ];
  const { verdict, because, lines } = judge(answer, watchers);
  expect(verdict).toEqual({ kind: 'Waiting' });
  expect(because).toBe(
    '3 of 5 delegates registered at v2; 1 of 1 tenants not complete: acme; HoldBack at 1970-01-01T21:00:00Z',
  );
  expect(lines).toEqual([
    'acme 3/5: box-9 crash-looping: exited with code 1, box-7 waits for its window (opens 22:00)',
  ]);
});

test.each<[string, BoxVersion | undefined, string, string]>([
  [
    'refused',
    boxVersion('v2', 'Refused', 'v2 is not allowed'),
    'RefusedByPolicy',
    'refuses it: v2 is not allowed',
  ],
  ['fetching', boxVersion('v2', 'Fetching', '40 %'), 'Fetching', 'fetches it: 40 %'],
  [
    'a bad artifact',
    boxVersion('v2', 'ArtifactFailed', 'wrong hash'),
    'Failed',
    'could not get its artifact: wrong hash',
  ],
  ['starting', boxVersion('v2', 'Starting'), 'Starting', 'starts it'],
  ['unready', boxVersion('v2', 'Unready'), 'Starting', 'is not ready'],
  ['up and not registered', boxVersion('v2', 'Ready'), 'NotRegistered', 'is up, but no manager knows it'],
  ['silent', undefined, 'Unknown', 'has not reported on v2 yet'],
])('a box whose version is %s', (_what, version, reason, detail) => {
  const watcher = aWatcher({ id: 'a', versions: version === undefined ? [] : [version] });
  const { tenants } = judge(named(registration('a', 'v1')), [watcher]);
  expect(tenants[0]?.missing).toEqual([{ delegate: 'a', reason, detail }]);
});

test('a box waits for its wave, lacks an artifact, or has no watcher that could say', () => {
  const answer = named(registration('a', 'v1'));
  const missing = (replaced: Partial<ParityInput>, watchers = [aWatcher({ id: 'a' })]) =>
    judge(answer, watchers, replaced).tenants[0]?.missing[0];
  expect(missing({ waves: wavesOf(aWave()) })).toMatchObject({ reason: 'WaitingForWave' });
  expect(missing({ leftOut: 'no artifact was published for v2' })).toMatchObject({ reason: 'NoArtifact' });
  expect(missing({}, [])).toMatchObject({ reason: 'Unknown', detail: 'has no watcher that reports' });
  expect(missing({}, [aWatcher({ id: 'a', report: { refusal: 'stale' } })])).toMatchObject({
    reason: 'RefusedByPolicy',
  });
});

test('offline boxes leave the denominator; a tenant with none connected is unknown, not passed', () => {
  const away = { lastSeen: now - HOUR };
  const some = judge(named(...onBoth('a'), registration('b', 'v1', away)));
  expect(some.verdict).toEqual({ kind: 'Passed' });
  expect(some.because).toBe('1 of 1 delegates registered at v2 (beside 1 offline), in the one tenant');
  const none = judge(named(...onBoth('a'), registration('b', 'v1', { ...away, tenant: 'globex' })));
  expect(none.verdict).toEqual({ kind: 'Waiting' });
  expect(none.lines).toEqual(['globex unknown: none of its 1 delegates is connected (b)']);
});

test('a delegate that was on the candidate and has gone is not ready', () => {
  const gone = registration('a', 'v2', { lastSeen: now - HOUR });
  expect(judge(named(registration('a', 'v1'), gone)).verdict).toEqual({ kind: 'Waiting' });
});

test('a box limited to one version is listed as switching and not missing', () => {
  const { verdict, tenants, because } = judge(named(registration('a', 'v1')), [
    aWatcher({ id: 'a', maxVersions: 1 }),
  ]);
  expect(verdict).toEqual({ kind: 'Passed' });
  expect(tenants[0]).toMatchObject({ switching: ['a'], missing: [], expected: 0 });
  expect(because).toBe(
    '0 of 0 delegates registered at v2 (beside 1 to switch after the flip), in the one tenant',
  );
});

test('a box that was decommissioned is not waited for', () => {
  const answer = named(...onBoth('a'), registration('b', 'v1'));
  expect(judge(answer, [], { decommissioned: new Set([boxId('b')]) }).verdict).toEqual({ kind: 'Passed' });
});

test('at the deadline tenants are held back, up to maxHeldBack, else the rollout pauses', () => {
  const one = named(...onBoth('a'), registration('b', 'v1', { tenant: 'globex' }));
  expect(judge(one, [], late).verdict).toEqual({ kind: 'HoldBack', tenants: ['globex'] });
  const paused = judge(one, [], { ...late, spec: { ...spec, maxHeldBack: 5 } });
  expect(paused.verdict).toEqual({ kind: 'Pause', tenants: ['globex'] });
  expect(paused.because).toBe(
    '1 of 2 delegates registered at v2; 1 of 2 tenants not complete: globex; the deadline is past, and that is more than maxHeldBack 5%',
  );
});

test.each([
  ['Wait', { kind: 'Waiting' }],
  ['Proceed', { kind: 'Proceed', tenants: ['acme'] }],
  ['Fail', { kind: 'Fail', tenants: ['acme'] }],
] as const)('at the deadline onMissing %s decides', (onMissing, verdict) => {
  const input = { ...late, spec: { ...spec, onMissing } };
  expect(judge(named(registration('a', 'v1')), [], input).verdict).toEqual(verdict);
});

test.each<[string, DelegateAnswer, Partial<ParityInput>, string]>([
  [
    'a source that does not answer',
    { kind: 'unknown', reason: 'no manager answers' },
    {},
    'no manager answers',
  ],
  ['an old answer', { kind: 'named', asOf: instant(now - HOUR), delegates: onBoth('a') }, {}, '3600 s ago'],
  ['a roll of nobody', named(registration('a', 'v2')), {}, 'no delegate of v1 was seen within 24 h'],
  [
    'a roll of decommissioned boxes',
    named(...onBoth('a')),
    { decommissioned: new Set([boxId('a')]) },
    'every delegate of the roll was decommissioned',
  ],
  [
    'a source of another kind than the roll',
    { kind: 'counted', asOf: now, counts: [], unknown: [] },
    { roll: fixRoll({ answer: named(...onBoth('a')), baseline: v1, activeWithin: HOUR, now }) },
    'the roll was named',
  ],
])('%s is never a pass, whatever the deadline says', (_what, answer, replaced, because) => {
  const proceed = { ...late, spec: { ...spec, onMissing: 'Proceed' as const } };
  const judged = judge(answer, [], { ...proceed, ...replaced });
  expect(judged.verdict).toEqual({ kind: 'Unknown' });
  expect(judged.because).toContain(because);
});

test('counts without names are compared for each tenant', () => {
  const counts = (rows: readonly (readonly [string, string, number])[]): DelegateAnswer => ({
    kind: 'counted',
    asOf: now,
    unknown: [],
    counts: rows.map(([tenant, version, connected]) => ({
      tenant: tenantName(tenant),
      version: versionName(version),
      connected,
    })),
  });
  const roll = fixRoll({
    answer: counts([
      ['acme', 'v1', 5],
      ['globex', 'v1', 2],
      ['initech', 'v1', 3],
    ]),
    baseline: v1,
    activeWithin: HOUR,
    now,
  });
  const answer = counts([
    ['acme', 'v1', 4],
    ['acme', 'v2', 2],
    ['globex', 'v2', 3],
  ]);
  const single = aWatcher({ id: 'one', maxVersions: 1 });
  const { verdict, lines, expected, ready } = judge(answer, [single], { roll });
  expect(verdict).toEqual({ kind: 'Waiting' });
  expect([ready, expected]).toEqual([4, 5]);
  expect(lines).toEqual([
    'acme 2/3: 1 not registered; the source gives no names; 1 offline',
    'initech unknown: none of its 3 delegates is connected',
  ]);
});

test('a thousand missing boxes make a short line', () => {
  const answer = named(...Array.from({ length: 1_000 }, (_, index) => registration(`box-${index}`, 'v1')));
  const { lines, tenants } = judge(answer);
  expect(tenants[0]?.missing).toHaveLength(1_000);
  expect(lines[0]).toMatch(/and 990 more$/);
  expect(lines[0]?.length).toBeLessThan(600);
});
