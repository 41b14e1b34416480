/** Checks with what was measured for them: value against limit, how many samples, what it adds up to. Pure. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ANSWER, CHECK_METRIC, CHECK_STATE, wordOf } from '../../admin/enums.ts';
import type {
  Check,
  CheckRun,
  CheckView,
  Measurement,
} from '../../gen/switchyard/admin/v1/measurements_pb.js';
import { formatDuration } from '../duration.ts';
import type { Paint } from '../shell.ts';
import { aligned, printedWidth } from '../table.ts';
import type { Branch } from '../tree.ts';
import { countText, numberText } from './numbers.ts';
import { checkStateText } from './rollout-words.ts';

/** What a view of checks depends on beside them. */
export interface CheckFrame {
  readonly paint: Paint;
  readonly now: number;
  /** Shows queries and statistics too. */
  readonly wide: boolean;
  /** Whether the step goes on for a time and not for a number of measurements. */
  readonly isSoak: boolean;
  /** Characters in a line; absent: no limit. */
  readonly room?: number;
}

/** One branch for each check: value, limit and samples beside each other; below it why, where it is not well. */
export function checkBranches(checks: readonly CheckView[], frame: CheckFrame): Branch[] {
  const known = checks.flatMap(({ check, run }) => (check && run ? [{ check, run }] : []));
  const besideEachOther = aligned(known.map(({ check, run }) => checkCells(check, run, frame, 'whole')));
  const room = frame.room ?? Number.POSITIVE_INFINITY;
  const fits = besideEachOther.every((line) => printedWidth(line.trimEnd()) <= room);
  const lines = fits
    ? besideEachOther
    : aligned(known.map(({ check, run }) => checkCells(check, run, frame, 'short')));
  return known.map(({ check, run }, index) => ({
    text: (lines[index] ?? '').trimEnd(),
    below: [
      ...(fits ? [] : [{ text: `limit: ${limitText(check, run)}`, wraps: true }]),
      ...checkDetails(check, run, frame),
    ],
  }));
}

/** `short`, for narrow terminals: the limit comes below, and of the samples only the candidate's. */
function checkCells(check: Check, run: CheckRun, frame: CheckFrame, form: 'whole' | 'short'): string[] {
  const { last } = run;
  const samples = last === undefined ? '-' : samplesText(last);
  return [
    check.dryRun ? `${check.name} (dry run)` : check.name,
    checkStateText(frame.paint, run.state),
    last === undefined ? '-' : valueText(last, check),
    ...(form === 'whole' ? [limitText(check, run), samples] : [samples.replace(/ vs .*/, '')]),
    progressText(check, run, frame),
    run.nextAt === undefined
      ? ''
      : `next ${formatDuration(Math.max(0, timestampMs(run.nextAt) - frame.now))}`,
  ];
}

function limitText(check: Check, { last }: CheckRun): string {
  return last?.judgement?.limit || limitWords(check);
}

const TROUBLED = new Set<number>([
  CHECK_STATE.Failed,
  CHECK_STATE.Error,
  CHECK_STATE.Inconclusive,
  CHECK_STATE.NoData,
]);

function checkDetails(check: Check, run: CheckRun, frame: CheckFrame): Branch[] {
  const why = TROUBLED.has(run.state) || frame.wide ? [run.because] : [];
  const statistics = frame.wide && run.last !== undefined ? statisticTexts(run.last, check) : [];
  return [...why, ...statistics].filter((text) => text !== '').map((text) => ({ text, wraps: true }));
}

/** Interval, smallest effect and queries of a measurement, where it has them. */
function statisticTexts({ judgement, queries }: Measurement, check: Check): string[] {
  const unit = unitOf(check);
  const interval = judgement?.interval;
  const smallest = judgement?.smallestEffect;
  return [
    interval === undefined
      ? ''
      : `interval ${numberText(interval.low)} to ${numberText(interval.high)}${unit}`,
    smallest === undefined ? '' : `smallest effect that could be seen: ${numberText(smallest)}`,
    ...queries.map((query) => `query ${query}`),
  ];
}

/** Measurements with data that were made, of how many. */
function progressText(
  { count }: Check,
  { passed, failed, inconclusive }: CheckRun,
  { isSoak }: CheckFrame,
): string {
  const made = passed + failed + inconclusive;
  return isSoak ? `${made}x` : `${made}/${count}`;
}

/** The candidate's value, and the baseline's where it was compared: `99.82 % vs 99.9 %`. */
export function valueText({ judgement, outcome }: Measurement, check: Check | undefined): string {
  if (judgement?.value === undefined)
    return outcome.case === 'answer' ? wordOf(ANSWER, outcome.value.answer) : '-';
  const unit = check === undefined ? '' : unitOf(check);
  const own = `${numberText(judgement.value)}${unit}`;
  return judgement.baseline === undefined ? own : `${own} vs ${numberText(judgement.baseline)}${unit}`;
}

/** Samples of the candidate, and of the baseline where it was compared. */
export function samplesText({ judgement, outcome }: Measurement): string {
  if (judgement === undefined || outcome.case === 'answer') return '-';
  const own = `n ${countText(judgement.candidateSamples)}`;
  return judgement.baselineSamples === undefined ? own : `${own} vs ${countText(judgement.baselineSamples)}`;
}

/** The condition of a check that was not measured yet. */
function limitWords(check: Check): string {
  const { limit, comparison } = check;
  const unit = unitOf(check);
  const words = [
    limit?.min === undefined ? '' : `at least ${numberText(limit.min)}${unit}`,
    limit?.max === undefined ? '' : `at most ${numberText(limit.max)}${unit}`,
    comparison === undefined ? '' : 'like the baseline',
  ];
  return words.filter((text) => text !== '').join(', ') || '-';
}

const PERCENTAGES = new Set(['SuccessRate', 'ConnectionFailures', 'InstancesUp']);

/** What a value of the check counts, with the space before it. */
function unitOf({ metricKind, metric }: Check): string {
  if (metricKind === CHECK_METRIC.ratio) return ' %';
  if (metricKind !== CHECK_METRIC.builtin) return '';
  if (PERCENTAGES.has(metric)) return ' %';
  if (metric.startsWith('Latency')) return ' ms';
  return metric === 'RequestRate' ? '/s' : '';
}
