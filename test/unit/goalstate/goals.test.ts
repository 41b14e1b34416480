import { describe, expect, test } from 'vitest';
import {
  NO_DELEGATES,
  nextGeneration,
  noteReported,
  noteRestored,
  reassert,
} from '../../../src/goalstate/generation.ts';
import { Goals, type SentGoal } from '../../../src/goalstate/goals.ts';
import { retried } from '../../../src/goalstate/retries.ts';
import { earlyVersions } from '../../../src/goalstate/wish.ts';
import type { WatcherRecord } from '../../../src/model/goal-state.ts';
import { after, instant } from '../../../src/model/instant.ts';
import { type DelegatesRecord, MAX_LEAP, MAX_PAST_GENERATIONS } from '../../../src/model/waves.ts';
import { aWatcher, aWave, aWish, v1, v2, wavesOf } from '../../support/goals.ts';
import { aRecord, aVersion } from '../../support/records.ts';
import { aRollout } from '../../support/rollouts.ts';
import { boxId, boxVersion, watcherIdentity, watcherReport } from '../../support/watchers.ts';

const now = instant(1_000);
const service = aRecord().name;

/** v0 was primary, v1 is it, v2 is rolled out. */
const rollingOut = aRecord({
  traffic: { kind: 'steady', primary: v1, previous: aVersion('v0').name },
  versions: [
    aVersion('v0', { lastPrimary: instant(1) }),
    aVersion('v1', { state: 'Primary', lastPrimary: instant(2) }),
    aVersion('v2'),
  ],
  rollout: aRollout(),
});
const flipped = {
  ...rollingOut,
  traffic: { kind: 'steady', primary: v2, previous: v1 } as const,
};

function goalsOf(
  record = rollingOut,
  options: Parameters<typeof aWish>[1] = {},
  delegates = atGeneration(7),
) {
  return new Goals({ service, delegates, wish: aWish(record, options) });
}

function atGeneration(generation: number): DelegatesRecord {
  return { ...NO_DELEGATES, current: { ...NO_DELEGATES.current, generation } };
}

function namesFor(goals: Goals, box: Parameters<typeof watcherIdentity>[0] = {}): readonly string[] {
  const goal = goals.goalFor(watcherIdentity(box));
  return goal.kind === 'Run' ? goal.versions.map(({ version }) => version) : [goal.kind];
}

describe('which versions a box should run', () => {
  test('all live ones, the newest default last', () => {
    expect(namesFor(goalsOf())).toEqual(['v0', 'v2', 'v1']);
    expect(namesFor(goalsOf(flipped))).toEqual(['v0', 'v1', 'v2']);
  });

  test('the candidate only where it is admitted', () => {
    const delegates = { waves: [wavesOf(aWave())] };
    expect(namesFor(goalsOf(rollingOut, { delegates }))).toEqual(['v0', 'v1']);
    expect(namesFor(goalsOf(rollingOut, { delegates: { waves: [wavesOf()] } }))).toEqual(['v0', 'v2', 'v1']);
  });

  test('where there are waves, no version before its rollout, also when it can be reached already', () => {
    const spec = { ...rollingOut.spec, delegates: { ...rollingOut.spec.delegates, waves: [aWave()] } };
    const { rollout: _none, ...listed } = { ...rollingOut, spec };
    const early = earlyVersions(listed, NO_DELEGATES);
    expect([...early.keys()]).toEqual(['v2']);
    expect(namesFor(goalsOf(listed, { early }))).toEqual(['v0', 'v1']);
    expect(aWish(listed, { early }).leftOut).toMatchObject([{ version: 'v2' }]);
    expect(earlyVersions({ ...rollingOut, spec }, NO_DELEGATES).size).toBe(0);
    expect(earlyVersions({ ...listed, spec: rollingOut.spec }, NO_DELEGATES).size).toBe(0);
    const told = nextGeneration({ delegates: NO_DELEGATES, wish: aWish(listed), because: '', now });
    expect(earlyVersions(listed, told).size).toBe(0);
  });

  test('not those that are being retired, nor those that are still Deploying', () => {
    const retirement = { step: 'Refusing', since: now, waiveStragglers: false } as const;
    const versions = [
      aVersion('v0', { state: 'Drained', retirement }),
      aVersion('v1', { state: 'Primary' }),
      aVersion('v2', { state: 'Deploying' }),
    ];
    expect(namesFor(goalsOf({ ...rollingOut, versions }))).toEqual(['v1']);
  });

  test('a bad candidate too stays until its work has ended', () => {
    const versions = [
      aVersion('v1', { state: 'Primary' }),
      aVersion('v2', { state: 'Draining', fenced: true }),
    ];
    const rollout = aRollout({ state: 'Aborted' });
    expect(namesFor(goalsOf({ ...rollingOut, versions, rollout }))).toEqual(['v2', 'v1']);
  });

  test('a box that cannot run all gets the primary, then the candidate, then the previous', () => {
    const goals = goalsOf();
    expect(namesFor(goals, { maxVersions: 2 })).toEqual(['v2', 'v1']);
    expect(goals.goalFor(watcherIdentity({ maxVersions: 2 }))).toMatchObject({ beyondLimit: ['v0'] });
  });

  test('a box limited to one version keeps the baseline until the flip, and then switches', () => {
    expect(namesFor(goalsOf(), { maxVersions: 1 })).toEqual(['v1']);
    expect(namesFor(goalsOf(flipped), { maxVersions: 1 })).toEqual(['v2']);
    expect(goalsOf(flipped).goalFor(watcherIdentity({ maxVersions: 1 }))).toMatchObject({ switchesTo: 'v2' });
    const delegates = { waves: [wavesOf(aWave())] };
    expect(namesFor(goalsOf(flipped, { delegates }), { maxVersions: 1 })).toEqual(['v1']);
  });

  test('a version without an artifact is left out, and it is said', () => {
    const wish = aWish(rollingOut, { without: ['v2'] });
    expect(wish.leftOut).toEqual([{ version: 'v2', reason: 'no artifact was published for v2' }]);
    expect(namesFor(goalsOf(rollingOut, { without: ['v2'] }))).toEqual(['v0', 'v1']);
  });

  test('never nothing: where no version is left the box keeps what it runs', () => {
    const goal = goalsOf(rollingOut, { without: ['v0', 'v1', 'v2'] }).goalFor(watcherIdentity());
    expect(goal).toMatchObject({ kind: 'Nothing', reason: expect.stringContaining('keeps what it runs') });
  });

  test('nothing at all only where an operator decommissioned the box', () => {
    const order = { delegate: boxId('box-1'), by: 'ada', reason: 'sold', since: now };
    const goals = goalsOf(rollingOut, { delegates: { decommissions: [order] } });
    const offer = goals.offer(aWatcher({ id: 'box-1' }), undefined);
    expect(offer).toMatchObject({ kind: 'Send', goal: { versions: [], decommission: true } });
    expect(namesFor(goals, { id: 'box-2' })).toEqual(['v0', 'v2', 'v1']);
  });

  test('boxes of a class share one goal', () => {
    const goals = goalsOf();
    expect(goals.goalFor(watcherIdentity({ id: 'a' }))).toBe(goals.goalFor(watcherIdentity({ id: 'b' })));
  });
});

describe('what a watcher is told now', () => {
  const told = (watcher: WatcherRecord, sent?: SentGoal, goals = goalsOf()) => goals.offer(watcher, sent);
  const first = told(aWatcher());
  const sent = first.kind === 'Send' ? first.sent : undefined;

  test('the goal state, replacing what it says it has applied', () => {
    expect(told(aWatcher({ report: { seen: 3, applied: 3 } }))).toMatchObject({
      kind: 'Send',
      goal: { generation: 7, replaces: 3, decommission: false },
    });
  });

  test('nothing again while the content for it is equal, also in a later generation', () => {
    const watcher = aWatcher({ report: { seen: 7, applied: 7 } });
    expect(told(watcher, sent)).toEqual({ kind: 'UpToDate' });
    expect(told(watcher, sent, goalsOf(rollingOut, {}, atGeneration(9)))).toEqual({ kind: 'UpToDate' });
  });

  test('nothing further before it has answered, since nobody knows what the next one replaces', () => {
    expect(told(aWatcher(), sent, goalsOf(flipped, {}, atGeneration(8)))).toEqual({ kind: 'Unanswered' });
  });

  test('the next one, once it has answered', () => {
    const watcher = aWatcher({ report: { seen: 7, applied: 7 } });
    expect(told(watcher, sent, goalsOf(flipped, {}, atGeneration(8)))).toMatchObject({
      kind: 'Send',
      goal: { generation: 8, replaces: 7 },
    });
  });

  test('what it refused is not offered again as it was, but anew when it refuses no more', () => {
    const refusal = 'not allowed here';
    expect(told(aWatcher({ report: { seen: 7, refusal } }), sent)).toEqual({
      kind: 'Refused',
      reason: refusal,
    });
    expect(told(aWatcher({ report: { seen: 7 } }), sent)).toMatchObject({ kind: 'Send' });
    expect(told(aWatcher({ report: { seen: 7, applied: 6, refusal } }), sent)).toMatchObject({
      kind: 'Send',
      goal: { replaces: 6 },
    });
  });

  test('one that comes back with what holds is told nothing; with another limit it is', () => {
    const report = watcherReport(7, { v0: 'Ready', v1: 'Ready', v2: 'Fetching', v9: 'Draining' });
    expect(told(aWatcher({ report }))).toEqual({ kind: 'UpToDate' });
    expect(told(aWatcher({ report, maxVersions: 1 }))).toMatchObject({
      kind: 'Send',
      goal: { generation: 7, replaces: 7 },
    });
  });
});

describe('generations', () => {
  const wish = aWish(rollingOut);
  const because = 'v2 is rolled out';
  const begun = nextGeneration({ delegates: NO_DELEGATES, wish, because, now });

  test('rise with each change of what any box should run, and with nothing else', () => {
    expect(begun.current).toMatchObject({ generation: 1, because });
    const stored = JSON.parse(JSON.stringify(begun)) as DelegatesRecord;
    expect(nextGeneration({ delegates: stored, wish: aWish(rollingOut), because, now })).toBe(stored);
    const later = nextGeneration({ delegates: begun, wish: aWish(flipped), because: 'flipped', now });
    expect(later.current.generation).toBe(2);
    expect(later.past).toEqual([{ generation: 1, at: now, because, versions: ['v1', 'v2', 'v0'] }]);
  });

  test('rise with an order to try a version again, which every box of it is told', () => {
    const order = { version: v2, by: 'ada', reason: 'the registry was down', at: now };
    const once = retried(begun, order, rollingOut);
    const ordered = nextGeneration({
      delegates: once,
      wish: aWish(rollingOut, { delegates: once }),
      because,
      now,
    });
    expect(ordered.current.generation).toBe(2);
    const goals = new Goals({ service, delegates: ordered, wish: aWish(rollingOut, { delegates: ordered }) });
    const goal = goals.goalFor(watcherIdentity());
    const attempts = goal.kind === 'Run' ? goal.versions.map((one) => [one.version, one.attempt]) : [];
    expect(attempts).toEqual([
      ['v0', undefined],
      ['v2', 1],
      ['v1', undefined],
    ]);
    const twice = retried(once, order, rollingOut);
    expect(twice.retries).toEqual([{ ...order, attempt: 2 }]);
    const gone = rollingOut.versions.map((one) => (one.name === v2 ? { ...one, state: 'Retired' } : one));
    const other = retried(twice, { ...order, version: v1 }, { versions: gone as typeof rollingOut.versions });
    expect(other.retries).toEqual([{ ...order, version: v1, attempt: 1 }]);
  });

  test('the last 50 are kept', () => {
    let delegates = begun;
    for (let turn = 0; turn < 60; turn += 1) {
      const record = turn % 2 === 0 ? flipped : rollingOut;
      delegates = nextGeneration({ delegates, wish: aWish(record), because, now });
    }
    expect(delegates.current.generation).toBe(61);
    expect(delegates.past.map(({ generation }) => generation)).toEqual(
      Array.from({ length: MAX_PAST_GENERATIONS }, (_, index) => 60 - index),
    );
  });

  test('that a newer state of the service gave are foreign: their watchers are told nothing until an operator asserts ours', () => {
    const restored = noteReported(begun, 9);
    const box = aWatcher({ report: { seen: 9, applied: 9, versions: [boxVersion('v1', 'Ready')] } });
    const reason = expect.stringContaining('an operator must assert');
    expect(new Goals({ service, delegates: restored, wish }).offer(box, undefined)).toEqual({
      kind: 'Nothing',
      reason,
    });
    // What follows here takes no number that was given there, so that it cannot be mistaken for it.
    const changed = nextGeneration({ delegates: restored, wish: aWish(flipped), because, now });
    expect(changed.current.generation).toBe(10);
    expect(new Goals({ service, delegates: changed, wish }).offer(box, undefined)).toEqual({
      kind: 'Nothing',
      reason,
    });
    expect(new Goals({ service, delegates: changed, wish }).offer(aWatcher(), undefined).kind).toBe('Send');
    const asserted = reassert({ delegates: changed, by: 'ada', reason: 'restored', now });
    expect(asserted?.current).toMatchObject({
      generation: 11,
      because: 'ada asserted what is recorded here over generation 9: restored',
    });
    if (asserted === undefined) return;
    expect(new Goals({ service, delegates: asserted, wish }).offer(box, undefined)).toMatchObject({
      kind: 'Send',
      goal: { generation: 11, replaces: 9 },
    });
    expect(reassert({ delegates: asserted, by: 'ada', reason: '', now })).toBeUndefined();
  });

  test('that were given after a backup are foreign once it is restored, before any watcher has reported one', () => {
    const at = instant(Date.UTC(2026, 0, 2));
    const lost = nextGeneration({ delegates: begun, wish: aWish(flipped), because, now });
    const restored = noteRestored(begun, at);
    expect(restored.foreign).toEqual([{ above: 1, upTo: 86_400 }]);
    const away = aWatcher({ report: { seen: lost.current.generation, applied: lost.current.generation } });
    const next = nextGeneration({ delegates: restored, wish: aWish(flipped), because, now: at });
    expect(next.current.generation).toBe(86_401);
    expect(new Goals({ service, delegates: next, wish }).offer(away, undefined).kind).toBe('Nothing');
    const goesOn = aWatcher({ report: { seen: 1, applied: 1 } });
    expect(new Goals({ service, delegates: next, wish }).offer(goesOn, undefined).kind).toBe('Send');
    // Restored again, from the same backup: what came after the first restore is lost too.
    const again = noteRestored(begun, after(at, 10_000));
    const third = nextGeneration({ delegates: again, wish: aWish(flipped), because, now: at });
    expect(third.current.generation).toBeGreaterThan(next.current.generation);
    const seen = aWatcher({ report: { seen: next.current.generation, applied: next.current.generation } });
    expect(new Goals({ service, delegates: third, wish }).offer(seen, undefined).kind).toBe('Nothing');
  });

  test('that nobody can have given are no news, and their watcher is told nothing', () => {
    const absurd = begun.current.generation + MAX_LEAP + 1;
    expect(noteReported(begun, absurd)).toBe(begun);
    expect(noteReported(begun, Number.NaN)).toBe(begun);
    const box = aWatcher({ report: { seen: absurd } });
    expect(new Goals({ service, delegates: begun, wish }).offer(box, undefined)).toMatchObject({
      kind: 'Nothing',
      reason: expect.stringContaining('was never given'),
    });
  });
});
