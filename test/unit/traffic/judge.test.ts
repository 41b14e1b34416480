import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultVersions, History, type Stage } from '../../support/traffic/history.ts';
import { type Evidence, isClean, judge, shareTouchedBy, type Verdict } from '../../support/traffic/judge.ts';
import type { Exchange } from '../../support/traffic/samples.ts';
import { answeredBy, ENTRANCE, flawlessRun } from './world.ts';

describe('the judge', () => {
  it('finds no fault where every request was answered as the routes of its time say', () => {
    fc.assert(
      fc.property(flawlessRun, (evidence) => {
        const verdict = judge(evidence);
        expect(verdict.faults).toEqual([]);
        expect(isClean(verdict)).toBe(true);
        expect(verdict.requests).toBe(evidence.exchanges.length);
      }),
      { numRuns: 500 },
    );
  });

  it('counts every request that failed', () => {
    expectFound(
      () => true,
      (exchange) => ({ ...exchange, outcome: { kind: 'failed', reason: 'status 503' } }),
      (verdict) => verdict.failed === 1,
    );
  });

  it('lets a bad version answer 500 where it has default traffic, and counts what it touched', () => {
    const history = new History({ from: 'v1', to: 'v3', weight: 10, active: ['v1', 'v3'] });
    const of = (version: string, pin?: string): Exchange => ({
      asked: { entrance: ENTRANCE, face: 'http1', ...(pin === undefined ? {} : { pin }) },
      startedAt: 1,
      endedAt: 2,
      outcome: { kind: 'failed', reason: 'status 500', version },
    });
    const failedOf = (exchange: Exchange, badVersions?: readonly string[]) =>
      judge({
        exchanges: [exchange],
        streams: [],
        histories: new Map([[ENTRANCE, history]]),
        ...(badVersions === undefined ? {} : { badVersions }),
      }).failed;
    expect(failedOf(of('v3'), ['v3'])).toBe(0);
    expect(failedOf(of('v3'))).toBe(1);
    expect(failedOf(of('v3', 'v3'), ['v3'])).toBe(1);
    expect(failedOf(of('v1'), ['v3'])).toBe(1);
    history.begin({ stage: { from: 'v1', to: 'v1', weight: 100, active: ['v1'] }, at: 0 }).converged(0.5);
    expect(failedOf(of('v3'), ['v3'])).toBe(1);
    const answered = { ...of('v1'), outcome: answeredBy('v1') };
    expect(shareTouchedBy(['v3'], [of('v3'), answered, answered, answered, of('v3', 'v3')])).toBe(0.25);
    expect(shareTouchedBy(['v3'], [])).toBe(0);
  });

  it('counts a pinned request that another version answered as misrouted', () => {
    expectFound(
      ({ asked, outcome }) => asked.pin !== undefined && outcome.kind === 'answered',
      (exchange) => ({ ...exchange, outcome: answeredBy(exchange.asked.pin === 'v1' ? 'v2' : 'v1') }),
      (verdict) => verdict.misrouted === 1,
    );
  });

  it('counts a pin that was served though it names no active version, and the refusal that is missing', () => {
    expectFound(
      ({ asked }) => asked.pin === 'v9',
      (exchange) => ({ ...exchange, outcome: answeredBy('v1') }),
      (verdict) => verdict.misrouted === 1 && verdict.refusedSeen === verdict.refusedExpected - 1,
    );
  });

  it('counts a refused pin on a version that was active all the time as failed', () => {
    expectFound(
      ({ asked, outcome }) => asked.pin !== undefined && outcome.kind === 'answered',
      (exchange, stages) =>
        stages.every(({ active }) => active.includes(exchange.asked.pin ?? ''))
          ? { ...exchange, outcome: { kind: 'refused' } }
          : undefined,
      (verdict) => verdict.failed === 1 && verdict.refusedSeen === verdict.refusedExpected + 1,
    );
  });

  it('counts default traffic on a version that was not legal at the time as misrouted', () => {
    expectFound(
      ({ asked }) => asked.pin === undefined,
      (exchange, stages) => {
        const legal = stages.flatMap(defaultVersions);
        const stranger = ['v1', 'v2'].find((version) => !legal.includes(version));
        return stranger === undefined ? undefined : { ...exchange, outcome: answeredBy(stranger) };
      },
      (verdict) => verdict.misrouted === 1,
    );
  });

  it('counts an answer by another version than the proxy says it routed to', () => {
    expectFound(
      ({ outcome }) => outcome.kind === 'answered',
      (exchange) => ({
        ...exchange,
        outcome: { ...exchange.outcome, routedVersion: 'v7' } as Exchange['outcome'],
      }),
      (verdict) => verdict.misrouted === 1,
    );
  });

  it('counts a stream that ended by anything but its client, and one that carried another version', () => {
    fc.assert(
      fc.property(flawlessRun, (evidence) => {
        const streams = evidence.streams.map((stream) => ({
          ...stream,
          strangers: ['v2'],
          end: { kind: 'cut', reason: 'reset' } as const,
        }));
        const verdict = judge({ ...evidence, streams });
        expect(verdict).toMatchObject({ streamsOpened: 1, streamsCut: 1, misrouted: 1 });
      }),
    );
  });

  it('refuses records of an entrance whose routes nobody noted', () => {
    const exchange: Exchange = {
      asked: { entrance: 'elsewhere', face: 'http1' },
      startedAt: 0,
      endedAt: 1,
      outcome: answeredBy('v1'),
    };
    expect(() => judge({ exchanges: [exchange], streams: [], histories: new Map() })).toThrow('elsewhere');
  });
});

/** Puts one fault into flawless runs, wherever `fits` says, and expects the verdict to show it. */
function expectFound(
  fits: (exchange: Exchange) => boolean,
  spoil: (exchange: Exchange, stages: readonly Stage[]) => Exchange | undefined,
  shows: (verdict: Verdict) => boolean,
): void {
  let spoilt = 0;
  fc.assert(
    fc.property(flawlessRun, fc.nat(), (evidence, choice) => {
      const run = spoilOne(evidence, fits, spoil, choice);
      if (run === undefined) return;
      spoilt += 1;
      const verdict = judge(run);
      expect(isClean(verdict)).toBe(false);
      expect(verdict.faults).not.toEqual([]);
      expect(shows(verdict)).toBe(true);
    }),
    { numRuns: 200 },
  );
  expect(spoilt).toBeGreaterThan(20);
}

function spoilOne(
  evidence: Evidence,
  fits: (exchange: Exchange) => boolean,
  spoil: (exchange: Exchange, stages: readonly Stage[]) => Exchange | undefined,
  choice: number,
): Evidence | undefined {
  const history = evidence.histories.get(ENTRANCE) as History;
  const spoilable = evidence.exchanges.flatMap((exchange) => {
    if (!fits(exchange)) return [];
    const bad = spoil(exchange, history.during(exchange.startedAt, exchange.endedAt));
    return bad === undefined ? [] : [{ exchange, bad }];
  });
  const chosen = spoilable[choice % spoilable.length];
  if (chosen === undefined) return undefined;
  const exchanges = evidence.exchanges.map((exchange) =>
    exchange === chosen.exchange ? chosen.bad : exchange,
  );
  return { ...evidence, exchanges };
}
