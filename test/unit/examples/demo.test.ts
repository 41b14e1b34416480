import { describe, expect, it } from 'vitest';
import { complaints, makeReport } from '../../../examples/demo/report.ts';
import { wrap } from '../../../examples/demo/screen.ts';
import type { Verdict } from '../../support/traffic/judge.ts';
import { summarize } from '../../support/traffic/latency.ts';

const CLEAN: Verdict = {
  requests: 5000,
  failed: 0,
  misrouted: 0,
  refusedExpected: 40,
  refusedSeen: 40,
  streamsOpened: 20,
  streamsCut: 0,
  tenantsMovedWrongly: 0,
  faults: [],
};
const DEEDS = { flips: 2, rollbacks: 1, flipTimes: [10, 20.04, 30], rollbackTimes: [5], controllerKills: 1 };

function reportOf(verdict: Partial<Verdict>) {
  return makeReport({ verdict: { ...CLEAN, ...verdict }, deeds: DEEDS, envoy: '1.40.0' });
}

describe("the demo's report", () => {
  it('holds exactly the promised fields', () => {
    expect(reportOf({})).toEqual({
      requests: 5000,
      failed: 0,
      misrouted: 0,
      refusedExpected: 40,
      refusedSeen: 40,
      streamsOpened: 20,
      streamsCut: 0,
      tenantsMovedWrongly: 0,
      flips: 2,
      rollbacks: 1,
      flipMs: { p50: 20, p99: 30, max: 30 },
      rollbackMs: { p50: 5, p99: 5, max: 5 },
      controllerKills: 1,
      envoy: '1.40.0',
    });
  });

  it('complains of nothing when nothing is wrong', () => {
    expect(complaints(reportOf({}))).toEqual([]);
  });

  it.each(['failed', 'misrouted', 'streamsCut', 'tenantsMovedWrongly'] as const)(
    'complains of %s',
    (name) => {
      expect(complaints(reportOf({ [name]: 3 }))).toEqual([`${name} is 3, not 0`]);
    },
  );

  it('complains of refusals that are missing or too many', () => {
    expect(complaints(reportOf({ refusedSeen: 39 }))).toEqual(['refusals: 40 were due, 39 were seen']);
  });
});

describe('a latency', () => {
  it('is summed up by nearest rank', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(summarize(values)).toEqual({ p50: 100, p99: 198, max: 200 });
  });

  it('is zero where nothing was measured', () => {
    expect(summarize([])).toEqual({ p50: 0, p99: 0, max: 0 });
  });
});

describe('a line on the screen', () => {
  it('is broken at spaces before column 80, with its words unchanged', () => {
    const text = `  ${'word '.repeat(40)}`;
    const lines = wrap(text, '    ');
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(lines.join(' ').split(/\s+/).filter(Boolean)).toEqual(text.split(/\s+/).filter(Boolean));
  });

  it('keeps a word that is longer than a line whole, so that it can be copied', () => {
    const path = `/tmp/${'x'.repeat(100)}`;
    expect(wrap(`see ${path} there`, '  ')).toContain(`  ${path}`);
  });
});
