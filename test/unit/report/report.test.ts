// The report of a rollout: nothing is counted twice, nothing is called proved that is not, and copies are nobody's requests.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportLines } from '../../../src/cli/report/text.ts';
import { type Instant, instant } from '../../../src/model/instant.ts';
import type { RolloutReport } from '../../../src/model/report.ts';
import {
  TRAFFIC_RESULTS,
  TRAFFIC_ROUTES,
  TRAFFIC_SPAN,
  type TrafficCoverage,
  type TrafficGap,
} from '../../../src/model/traffic.ts';
import { actualWeight } from '../../../src/report/actual-weight.ts';
import { buildReport, reportWindow } from '../../../src/report/build.ts';
import { aRollout } from '../../support/rollouts.ts';
import { aCount, NOON, sampleInput, sampleReport, V2, V3 } from '../../support/sample-report.ts';

const at = (milliseconds: number): Instant => instant(NOON + milliseconds);
/** The end of the sample's window. */
const END = 36 * TRAFFIC_SPAN;

const heard = (from: number, to: number, gaps: readonly TrafficGap[] = []): TrafficCoverage => ({
  from: at(from),
  to: at(to),
  gaps,
});
const gap = (from: number, to: number, requests = 0): TrafficGap => ({
  proxy: 'gateway-1',
  from: at(from),
  to: at(to),
  requests,
  why: 'its connection broke',
});

describe('the figures of a report', () => {
  const counts = fc.array(
    fc
      .record({
        route: fc.constantFrom(...TRAFFIC_ROUTES),
        result: fc.constantFrom(...TRAFFIC_RESULTS),
        version: fc.constantFrom(V2, V3),
        span: fc.integer({ min: -3, max: 40 }),
        requests: fc.nat(1000),
        retries: fc.nat(5),
      })
      .map(aCount),
    { maxLength: 60 },
  );

  test('every request in the window is in exactly one row, and all but copies in the sum', () => {
    fc.assert(
      fc.property(counts, (all) => {
        const report = sampleReport({ counts: all });
        const inside = all.filter(({ from }) => from >= report.window.from && from < report.window.to);
        const rows = report.byVersion.reduce((sum, { requests }) => sum + requests, 0);
        expect(rows).toBe(inside.reduce((sum, { requests }) => sum + requests, 0));
        const copies = inside
          .filter(({ route }) => route === 'Mirror')
          .reduce((sum, { requests }) => sum + requests, 0);
        expect(report.requests.value).toBe(rows - copies);
        for (const row of report.byVersion) {
          expect(Object.values(row.results).reduce((sum, each) => sum + each, 0)).toBe(row.requests);
        }
      }),
    );
  });

  test('the order of the counts changes nothing', () => {
    fc.assert(
      fc.property(
        counts.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
        ),
        ([all, shuffled]) => {
          expect(sampleReport({ counts: shuffled })).toEqual(sampleReport({ counts: all }));
        },
      ),
    );
  });

  test('hurt is who was not answered or was broken off: not who was refused, left, or made a mistake', () => {
    const report = sampleReport({
      counts: TRAFFIC_RESULTS.map((result, index) => aCount({ result, requests: 10 ** index })),
    });
    const of = (result: (typeof TRAFFIC_RESULTS)[number]) => 10 ** TRAFFIC_RESULTS.indexOf(result);
    expect(report.impacted.value).toBe(of('Unavailable') + of('Cut'));
    expect(report.cutStreams.value).toBe(of('Cut'));
    expect(report.refusals.value).toBe(of('Refused'));
  });

  test('the timeline has every default request of a version, once', () => {
    const report = sampleReport();
    const shown = report.timeline
      .flatMap(({ requests }) => Object.values(requests))
      .reduce((sum, each) => sum + each, 0);
    const rows = report.byVersion.filter(({ route }) => route === 'Default');
    expect(shown).toBe(rows.reduce((sum, { requests }) => sum + requests, 0));
  });

  test('a timeline of days has no more points than a plot can show', () => {
    const rollout = aRollout({ startedAt: at(0), endedAt: at(7 * 86_400_000) });
    const few = [aCount({ span: 0 }), aCount({ span: 100_000, requests: 3 })];
    const { timeline } = sampleReport({ rollout, counts: few });
    expect(timeline.length).toBeLessThanOrEqual(240);
    expect(timeline.reduce((sum, { requests }) => sum + (requests[V2] ?? 0), 0)).toBe(4);
  });

  test('events of other services and of other times are no decisions of it', () => {
    const [event = expect.fail()] = sampleInput().events;
    const { service: _whose, ...ofNobody } = event;
    const report = sampleReport({
      events: [ofNobody, { ...event, at: at(-1) }, { ...event, at: at(END) }, event],
    });
    expect(report.decisions).toHaveLength(1);
  });
});

describe('how sure a report is', () => {
  const certainty = (coverage: readonly TrafficCoverage[], now = END + 60_000) =>
    sampleReport({ coverage, now: at(now) }).requests;

  test('all of the window heard, by one controller or by two in a row: proved', () => {
    expect(certainty([heard(-60_000, END + 1)]).certainty).toEqual({ kind: 'Proved' });
    expect(certainty([heard(-60_000, 30_000), heard(30_000, END + 1)]).certainty).toEqual({ kind: 'Proved' });
  });

  test('no listener reports: not measurable, and no number is given', () => {
    const { requests, impacted } = sampleReport({ isReported: false });
    expect(requests).toEqual({
      certainty: { kind: 'NotMeasurable', why: expect.stringContaining('accessLog: true') },
    });
    expect(impacted).not.toHaveProperty('value');
  });

  test('nobody listened in the whole window: not measurable', () => {
    expect(certainty([]).certainty.kind).toBe('NotMeasurable');
    expect(certainty([heard(-90_000, -60_000)]).certainty.kind).toBe('NotMeasurable');
  });

  test.each([
    [
      'a controller that was away',
      [heard(-60_000, 30_000), heard(60_000, END + 1)],
      'nobody counted from 12:00:28 UTC to 12:01:06 UTC',
    ],
    ['one that came late', [heard(30_000, END + 1)], 'nobody counted from 12:00:00 UTC to 12:00:30 UTC'],
    ['one that went', [heard(-60_000, 60_000)], 'nobody counted from 12:01:00 UTC to 12:03:00 UTC'],
    [
      'a proxy that broke off',
      [heard(-60_000, END + 1, [gap(20_000, 25_000)])],
      'reports of gateway-1 may be missing from 12:00:20 UTC to 12:00:25 UTC: its connection broke',
    ],
    [
      'lost reports',
      [heard(-60_000, END + 1, [gap(20_000, 20_000, 1_204)])],
      '1,204 reports of gateway-1 are missing at 12:00:20 UTC',
    ],
  ])('%s: sampled, with the time', (_, coverage, why) => {
    expect(certainty(coverage).certainty).toEqual({ kind: 'Sampled', why: expect.stringContaining(why) });
  });

  test('a short rollout around a restart is sampled: some of it was counted', () => {
    const rollout = { ...sampleInput().rollout, startedAt: at(0), endedAt: at(1_000) };
    const coverage = [heard(-60_000, 500), heard(600, END + 1)];
    const { requests } = sampleReport({ rollout, coverage });
    expect(requests).toMatchObject({ value: expect.any(Number), certainty: { kind: 'Sampled' } });
  });

  test('requests that nobody reports: sampled, although all that was reported was counted', () => {
    const blindSpots = ['requests through inside are not counted: accessLog is false there'];
    expect(sampleReport({ blindSpots }).requests.certainty).toEqual({ kind: 'Sampled', why: blindSpots[0] });
  });

  test('a controller that came within the span in which the rollout began, but before it: proved', () => {
    const rollout = { ...sampleInput().rollout, startedAt: at(3_000) };
    const coverage = [heard(2_000, END + 1)];
    const report = sampleReport({ rollout, coverage });
    expect(report.window.from).toBe(at(0));
    expect(report.requests.certainty).toEqual({ kind: 'Proved' });
    const late = [heard(3_500, END + 1)];
    expect(sampleReport({ rollout, coverage: late }).requests.certainty.kind).toBe('Sampled');
  });

  test('gaps before the window and after it are nobody’s business', () => {
    const coverage = [heard(-60_000, END + 50_000, [gap(-20_000, -10_000), gap(END + 1, END + 20_000)])];
    expect(certainty(coverage).certainty).toEqual({ kind: 'Proved' });
  });

  test('a rollout that goes on waits for the last reports', () => {
    const rollout = aRollout({ startedAt: at(0) });
    const { certainty: now } = buildReport(
      sampleInput({ rollout, now: at(60_000), coverage: [heard(-60_000, 60_000)] }),
    ).requests;
    expect(now).toEqual({ kind: 'Sampled', why: expect.stringContaining('still on their way') });
  });

  test('whatever is missing, a time that nobody heard is never called proved', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(END), fc.nat(END)), { maxLength: 4 }), (pieces) => {
        const coverage = pieces
          .map(([one, other]) => heard(Math.min(one, other), Math.max(one, other)))
          .toSorted((left, right) => left.from - right.from);
        const { from, to } = reportWindow(sampleInput().rollout, at(END));
        let until: number = from;
        for (const piece of coverage) if (piece.from <= until) until = Math.max(until, piece.to);
        expect(certainty(coverage).certainty.kind === 'Proved').toBe(until >= to);
      }),
    );
  });
});

describe('the summary', () => {
  const cost = (counts: ReturnType<typeof aCount>[]) => sampleReport({ counts }).summary;

  test.each([
    [
      'nothing hurt',
      [aCount({ requests: 12_345 })],
      'v3 was rolled back after 2 min 56 s: none of 12,345 requests was hurt.',
    ],
    [
      'one hurt',
      [aCount({ requests: 99 }), aCount({ result: 'Cut' })],
      'v3 was rolled back after 2 min 56 s: 1 of 100 requests was hurt (1 %).',
    ],
    ['no request', [], 'v3 was rolled back after 2 min 56 s: there was no request.'],
    [
      'errors of the candidate',
      [
        aCount({ requests: 100 }),
        aCount({ version: V3, result: 'ServerError', requests: 5 }),
        aCount({ version: V3, requests: 95 }),
      ],
      'v3 was rolled back after 2 min 56 s: none of 200 requests was hurt; v3 answered 5 % of 100 requests with a server error, v2 0 %.',
    ],
  ])('%s', (_, counts, sentence) => {
    expect(cost(counts)).toBe(sentence);
  });

  test('does not claim what was not counted', () => {
    expect(sampleReport({ isReported: false }).summary).toContain(
      'what it cost is not measurable, because no listener',
    );
    expect(sampleReport({ coverage: [heard(30_000, END + 1)] }).summary).toContain('as far as is known');
  });
});

describe('the actual weight', () => {
  const now = at(40_000);

  test('is the share of the candidate among default requests of the last half minute', () => {
    const counts = [
      aCount({ span: 7, requests: 60 }),
      aCount({ span: 6, version: V3, requests: 20 }),
      aCount({ span: 1, version: V3, requests: 1_000 }),
      aCount({ span: 7, version: V3, route: 'Pin', requests: 500 }),
      aCount({ span: 7, version: V3, route: 'Mirror', result: 'Unknown', requests: 500 }),
    ];
    expect(actualWeight(counts, { candidate: V3, now })).toEqual({ percent: 25, requests: 80 });
  });

  test('is unknown where there was no default request', () => {
    expect(actualWeight([aCount({ span: 7, route: 'Pin' })], { candidate: V3, now })).toBeUndefined();
  });
});

describe('what is missing', () => {
  test('is told where the kept past begins after the rollout, and only there', () => {
    const begun = sampleInput().rollout.startedAt;
    const since = (historySince: Instant): RolloutReport => sampleReport({ historySince });
    expect(sampleReport({}).knownSince).toBeUndefined();
    expect(since(begun).knownSince).toBeUndefined();
    const later = since(instant(begun + 1_000));
    expect(later.knownSince).toBe(begun + 1_000);
    expect(reportLines(later, 200).join('\n')).toMatch(
      /Decisions and measurements before .*Z are missing: another replica led then, and its log has them\./,
    );
  });
});
