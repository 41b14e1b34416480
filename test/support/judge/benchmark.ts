/**
 * Measures judges on simulated pairs: how often each fails a candidate in at least one of ten looks. Ours runs as it
 * ships, with a false alarm of 0.05 for the step. Kayenta is brought to the same false alarms as ours has on the
 * same traffic without a fault, by its confidence; beside it stands Kayenta as shipped.
 */
import type { Check } from '../../../src/model/check.ts';
import type { MeasuredOutcome } from '../../../src/model/measurement.ts';
import { versionName } from '../../../src/model/names.ts';
import { judge } from '../../../src/verification/judge.ts';
import { AS_SHIPPED, kayentaScore } from './kayenta.ts';
import { errorData, latencyData, simulate, WINDOWS, type Window } from './requests.ts';
import { ROWS, type Row } from './rows.ts';

export const FALSE_ALARM = 0.05;

const POLICY = {
  at: ['Shift'],
  interval: 60_000,
  count: WINDOWS,
  initialDelay: 0,
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  minimumSamples: 10,
  noData: 'Hold',
  critical: true,
  dryRun: false,
  weight: 1,
} as const;

const CHECKS: Readonly<Record<Row['asks'], Check>> = {
  Errors: {
    ...POLICY,
    name: 'errors',
    metric: { kind: 'ratio', events: 'errors', total: 'requests', args: {} },
    condition: {
      comparison: { bad: 'Increase', tolerance: 0, falseAlarm: FALSE_ALARM, variance: false },
    },
  },
  Latency: {
    ...POLICY,
    name: 'latency',
    metric: { kind: 'builtin', name: 'LatencyP95' },
    condition: {
      comparison: { bad: 'Increase', tolerance: 0.05, falseAlarm: FALSE_ALARM, variance: true },
    },
  },
};

/** What happened to one pair. */
interface Result {
  /** The look, from 1, at which ours failed the candidate; 0: never. */
  readonly ours: number;
  /** The highest score that Kayenta reached at any look. */
  readonly kayenta: number;
}

/** One line of the table: shares of pairs that were failed. */
export interface Line {
  readonly row: Row;
  readonly ours: number;
  /** At the same false alarms as ours. */
  readonly kayenta: number;
  /** How far off that may be because the false alarms were counted on so many pairs only: one standard error. */
  readonly kayentaError: number;
  readonly kayentaAsShipped: number;
  /** The mean look at which ours failed those that it failed. */
  readonly meanLook: number;
}

/** Runs all rows. */
export function measureJudges(pairs: number, seed: number): readonly Line[] {
  const results = new Map(ROWS.map((row, index) => [row.name, run(row, pairs, seed + index * 1_000_003)]));
  return ROWS.map((row) => {
    const own = results.get(row.name) ?? [];
    const failed = own.filter(({ ours }) => ours > 0);
    const quiet = results.get(row.quiet) ?? [];
    const alarms = quiet.filter(({ ours }) => ours > 0).length;
    const kayentaShare = (count: number) => failedShare(own, barAt(quiet, count));
    return {
      row,
      ours: failed.length / pairs,
      kayenta: kayentaShare(alarms),
      kayentaError: (kayentaShare(alarms + Math.sqrt(alarms)) - kayentaShare(alarms - Math.sqrt(alarms))) / 2,
      kayentaAsShipped: failedShare(own, { score: AS_SHIPPED, shareAt: 0 }),
      meanLook: failed.reduce((sum, { ours }) => sum + ours, 0) / failed.length,
    };
  });
}

/** A bar for scores: those above it fail, and of those at it, this share (a point between two points of the curve). */
interface Bar {
  readonly score: number;
  readonly shareAt: number;
}

/** The bar at which Kayenta fails this many of the quiet pairs. */
function barAt(quiet: readonly Result[], failed: number): Bar {
  const scores = quiet.map(({ kayenta }) => kayenta).toSorted((a, b) => b - a);
  const score = scores[Math.floor(failed)] ?? -Infinity;
  const above = scores.filter((each) => each > score).length;
  const at = scores.filter((each) => each === score).length;
  return { score, shareAt: (failed - above) / at };
}

/** The share of pairs that Kayenta fails with a bar. */
function failedShare(results: readonly Result[], { score, shareAt }: Bar): number {
  const above = results.filter(({ kayenta }) => kayenta > score).length;
  const at = results.filter(({ kayenta }) => kayenta === score).length;
  return (above + shareAt * at) / results.length;
}

function run({ scenario, asks }: Row, pairs: number, seed: number): Result[] {
  return Array.from({ length: pairs }, (_, pair) => {
    const windows = simulate(scenario, seed + pair * 7_919);
    return { ours: oursAt(windows, asks), kayenta: kayentaAt(windows, asks) };
  });
}

const VERSION = versionName('v2');
const BASELINE = versionName('v1');

function oursAt(windows: readonly Window[], asks: Row['asks']): number {
  const data = windows.map(asks === 'Errors' ? errorData : latencyData);
  const outcomes = data.map((each): MeasuredOutcome => ({ kind: 'Data', data: each }));
  return (
    outcomes.findIndex((outcome, look) => {
      const earlier = outcomes.slice(0, look).map((each) => ({ outcome: each }));
      const { state } = judge({
        check: CHECKS[asks],
        step: 'Shift',
        outcome,
        earlier,
        version: VERSION,
        baseline: BASELINE,
      });
      return state === 'Failed';
    }) + 1
  );
}

function kayentaAt(windows: readonly Window[], asks: Row['asks']): number {
  const metrics = asks === 'Errors' ? (['errorRates'] as const) : (['means', 'p99s'] as const);
  let highest = -Infinity;
  for (let look = 1; look <= windows.length; look++) {
    for (const metric of metrics) {
      const series = (side: 'candidate' | 'baseline') =>
        windows.slice(0, look).flatMap((window) => window[side][metric]);
      highest = Math.max(highest, kayentaScore(series('candidate'), series('baseline')));
    }
  }
  return highest;
}

/** The table as text (Markdown). */
export function table(lines: readonly Line[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const body = lines.map(({ row, ours, kayenta, kayentaAsShipped, meanLook }) =>
    row.name === row.quiet
      ? `| ${row.name} | ${percent(ours)} false alarms | ${percent(kayenta)} | ${percent(kayentaAsShipped)} | |`
      : `| ${row.name} | ${percent(1 - ours)} missed | ${percent(1 - kayenta)} | ${percent(1 - kayentaAsShipped)} | ${meanLook.toFixed(1)} |`,
  );
  return [
    '| scenario | ours | Kayenta at equal false alarms | Kayenta as shipped | mean look of ours |',
    '|---|---|---|---|---|',
    ...body,
  ].join('\n');
}
