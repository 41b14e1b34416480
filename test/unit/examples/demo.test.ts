import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { namesInDefaultRoutes } from '../../../examples/demo/bad-release.ts';
import { decidingQueries } from '../../../examples/demo/ends.ts';
import type { ExecutionsReport } from '../../../examples/demo/executions.ts';
import {
  complaints,
  makeReport,
  type Parity,
  type RolloutEnd,
  reportLines,
} from '../../../examples/demo/report.ts';
import { commandLines, wrap } from '../../../examples/demo/screen.ts';
import type { Retired } from '../../../examples/demo/teardowns.ts';
import { CHECK_STATE } from '../../../src/admin/enums.ts';
import { type CheckState, MeasurementSchema } from '../../../src/gen/switchyard/admin/v1/measurements_pb.js';
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
const GOOD: RolloutEnd = {
  version: 'v2',
  outcome: 'Succeeded',
  detectMs: null,
  rollbackMs: null,
  delegates: { ready: 4, expected: 4 },
  queries: [{ query: 'requests', value: 100, limit: 'at least 99 %' }],
};
const BACK: RolloutEnd = { ...GOOD, outcome: 'RolledBack', rollbackMs: 20, delegates: null, queries: [] };
const BAD: RolloutEnd = { ...GOOD, version: 'v3', outcome: 'Aborted', detectMs: 1500, rollbackMs: 12 };
const LAST: RolloutEnd = { ...GOOD, version: 'v4' };
const ENDS = [GOOD, BACK, BAD, LAST];
const EXECUTIONS: ExecutionsReport = {
  started: 200,
  finished: 200,
  failed: 0,
  lost: 0,
  appliedTwice: 0,
  wrongVersion: 0,
  wrongDelegate: 0,
};
const PARITY: Parity = { boxes: 4, moves: 52, movesAtParity: 52 };
const RETIRED: readonly Retired[] = ['v1', 'v3'].map((version) => ({
  version,
  openWhenFenced: 3,
  drainSeconds: 38.5,
  certificate: 'atomic',
}));

interface Parts {
  readonly verdict?: Partial<Verdict>;
  readonly rollouts?: readonly RolloutEnd[];
  readonly executions?: Partial<ExecutionsReport>;
  readonly parity?: Partial<Parity>;
  readonly retired?: readonly Retired[];
}

function reportOf({ verdict, rollouts = ENDS, executions, parity, retired = RETIRED }: Parts = {}) {
  return makeReport({
    verdict: { ...CLEAN, ...verdict },
    badVersionShare: 0.001,
    executions: { ...EXECUTIONS, ...executions },
    parity: { ...PARITY, ...parity },
    deeds: {
      flips: 2,
      rollbacks: 1,
      flipTimes: [10, 20.04, 30],
      rollbackTimes: [5],
      controllerKills: 1,
      rollouts,
      retired,
    },
    envoy: '1.40.0',
    prometheus: '3.5.0',
  });
}

describe("the demo's report", () => {
  it('holds exactly the promised fields', () => {
    expect(reportOf()).toEqual({
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
      executions: EXECUTIONS,
      parity: PARITY,
      retired: RETIRED,
      rollouts: ENDS,
      badVersionShare: 0.001,
      envoy: '1.40.0',
      prometheus: '3.5.0',
    });
  });

  it('complains of nothing when nothing is wrong', () => {
    expect(complaints(reportOf())).toEqual([]);
  });

  it.each(['failed', 'misrouted', 'streamsCut', 'tenantsMovedWrongly'] as const)(
    'complains of %s',
    (name) => {
      expect(complaints(reportOf({ verdict: { [name]: 3 } }))).toEqual([`${name} is 3, not 0`]);
    },
  );

  it('complains of refusals that are missing or too many', () => {
    expect(complaints(reportOf({ verdict: { refusedSeen: 39 } }))).toEqual([
      'refusals: 40 were due, 39 were seen',
    ]);
  });

  it('complains of a good version that did not succeed, and of a bad one that did', () => {
    const rollouts = [{ ...GOOD, outcome: 'Aborted' }, BACK, { ...BAD, outcome: 'Succeeded' }, LAST];
    expect(complaints(reportOf({ rollouts }))).toEqual([
      'the rollout of v2 ended Aborted; due was v2 Succeeded',
      'the rollout of v3 ended Succeeded; due was v3 Aborted or RolledBack',
    ]);
  });

  it('complains of a rollout that is missing', () => {
    expect(complaints(reportOf({ rollouts: [GOOD, BACK] }))).toEqual(['4 rollouts were to end, 2 did']);
  });

  it.each(['lost', 'appliedTwice', 'wrongVersion', 'wrongDelegate'] as const)(
    'complains of executions or their steps that are %s',
    (name) => {
      expect(complaints(reportOf({ executions: { [name]: 2 } }))).toEqual([`executions.${name} is 2, not 0`]);
    },
  );

  it('complains of executions that failed, that did not finish, or that were never started', () => {
    expect(complaints(reportOf({ executions: { failed: 1, finished: 199 } }))).toEqual([
      'executions.failed is 1, not 0',
      '200 executions were started, 199 finished',
    ]);
    expect(complaints(reportOf({ executions: { started: 0, finished: 0 } }))).toEqual([
      '0 executions were started, 0 finished',
    ]);
  });

  it('complains of traffic that moved before every box had its delegate', () => {
    const early = { ...GOOD, delegates: { ready: 3, expected: 3 } };
    expect(
      complaints(reportOf({ rollouts: [early, BACK, BAD, LAST], parity: { movesAtParity: 51 } })),
    ).toEqual([
      'v2 got traffic with 3 of 3 delegates; there are 4',
      'delegates were at parity before 51 of 52 flips and rollbacks',
    ]);
    const unknown = { ...GOOD, delegates: null };
    expect(complaints(reportOf({ rollouts: [unknown, BACK, BAD, LAST] }))).toEqual([
      'nobody knows with how many delegates v2 got traffic; there are 4',
    ]);
  });

  it('complains of a version that was not taken away, or not surely empty', () => {
    const [v1, v3] = RETIRED;
    if (v1 === undefined || v3 === undefined) throw new Error('two versions go');
    expect(complaints(reportOf({ retired: [{ ...v3, certificate: 'observed' }] }))).toEqual([
      'v1 was not taken away',
      'the certificate of v3 is observed, not atomic',
    ]);
  });

  it('is not wider than a screen', () => {
    const slow = { ...BAD, detectMs: 12_345, rollbackMs: 345 };
    const lines = reportLines(reportOf({ rollouts: [GOOD, BACK, slow, LAST] }));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('tells people of each rollout how long it took to notice and to go back', () => {
    expect(reportLines(reportOf())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/rollout of v2 +Succeeded$/),
        expect.stringMatching(/rollout of v3 +Aborted, noticed after 1500 ms, back within 12 ms$/),
      ]),
    );
  });
});

describe('the measurements that decided', () => {
  const measured = (check: string, state: CheckState, value: number) =>
    create(MeasurementSchema, { check, queries: [check], judgement: { state, value, limit: 'at most 1' } });

  it('are those of the deciding checks that failed, where any did', () => {
    const course = [
      measured('errors', CHECK_STATE.Passed, 0),
      measured('latency', CHECK_STATE.Failed, 9),
      measured('errors', CHECK_STATE.Failed, 3),
    ];
    const errors = { query: 'errors', value: 3, limit: 'at most 1' };
    expect(decidingQueries(course, ['errors'])).toEqual([errors]);
    expect(decidingQueries(course, ['errors', 'latency'])).toEqual([
      { query: 'latency', value: 9, limit: 'at most 1' },
      errors,
    ]);
  });

  it('are the last of each check, where none failed', () => {
    const course = [0.5, 0.25].map((value) => measured('errors', CHECK_STATE.Passed, value));
    expect(decidingQueries(course, ['errors'])).toEqual([
      { query: 'errors', value: 0.25, limit: 'at most 1' },
    ]);
  });
});

describe('the routes of default traffic', () => {
  const dump = (name: string, cluster: string) => ({ configs: [{ routes: [{ name, route: { cluster } }] }] });

  it('hold a version that gets requests or copies of them, and not one that only pins reach', () => {
    expect(namesInDefaultRoutes(dump('manager/Default', 'manager__v3'), 'v3')).toBe(true);
    expect(namesInDefaultRoutes(dump('manager/Default/mirror/v3', 'manager__v3__mirror'), 'v3')).toBe(true);
    expect(namesInDefaultRoutes(dump('manager/Pin', 'manager__v3'), 'v3')).toBe(false);
    expect(namesInDefaultRoutes(dump('manager/Default', 'manager__v31'), 'v3')).toBe(false);
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

describe('a command on the screen', () => {
  it('is quoted as a shell needs it, and goes on in the next line where it is long', () => {
    const words = [
      'switchyard',
      'artifact',
      'sign',
      '--',
      '${artifact}/delegate',
      "it's",
      ...Array(9).fill('--word=1'),
    ];
    const lines = commandLines(words, '  ');
    expect(lines[0]).toMatch(
      /^ {2}\$ switchyard artifact sign -- '\$\{artifact\}\/delegate' 'it'\\''s' .* \\$/,
    );
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(lines.slice(0, -1).every((line) => line.endsWith(' \\'))).toBe(true);
  });
});
