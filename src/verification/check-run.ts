/**
 * How a check stands in one step: a fold over its measurements, oldest first. Nothing else is remembered, so a restart
 * changes nothing, and a stored rollout can be folded again by another policy. Worst first: Failed ends a check at once;
 * only measurements with data let it pass.
 */
import { answersByItself, type Check, type CheckedStep } from '../model/check.ts';
import { after, type Instant, type Milliseconds } from '../model/instant.ts';
import type { CheckRun, Measurement } from '../model/measurement.ts';

export interface CheckRunInput {
  readonly check: Check;
  readonly step: CheckedStep;
  /** Of this check in this step of this attempt. */
  readonly measurements: readonly Measurement[];
  /** When the step's windows begin; absent: not every proxy has the step yet. */
  readonly windowFrom?: Instant;
  /** When the soak ends. Absent: the check ends after its count of measurements. */
  readonly until?: Instant;
  readonly now: Instant;
}

/** How soon a measurement that could not be made is tried again, where its interval is longer. */
const ERROR_RETRY: Milliseconds = 10_000;

/**
 * The check's state. Passed, Failed and Inconclusive are ends and stay, with two exceptions: with `until` only Failed ends
 * it early, and before the soak a Passed check is measured on, so that a fault later in the step is still seen. Error and NoData hold the gate while measuring goes on.
 */
export function checkRun(input: CheckRunInput): CheckRun {
  const { check, step } = input;
  if (!check.at.includes(step))
    return { ...run(check, NONE), state: 'Skipped', because: `not asked at ${step}` };
  const progress = fold(input);
  const ended = end(input, progress);
  const nextAt = next(input, progress);
  if (ended !== undefined) {
    const again = ended.state === 'Passed' && goesOn(input) && nextAt !== undefined ? { nextAt } : {};
    return { ...run(check, progress), ...ended, ...again };
  }
  return {
    ...run(check, progress),
    ...standing(input, progress, nextAt),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
}

/** What the measurements add up to. */
interface Progress {
  readonly passed: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly noData: number;
  readonly errors: number;
  readonly consecutiveErrors: number;
  readonly last?: Measurement;
  /** Whether the last measurement was counted: it held data, or its lack is counted by policy. */
  readonly isLastCounted: boolean;
}

const NONE: Progress = {
  passed: 0,
  failed: 0,
  inconclusive: 0,
  noData: 0,
  errors: 0,
  consecutiveErrors: 0,
  isLastCounted: false,
};

/** Adds up, and stops at the measurement that ended the check: what comes after no longer counts. */
function fold(input: CheckRunInput): Progress {
  const ordered = input.measurements.toSorted((a, b) => a.at - b.at);
  let progress = NONE;
  for (const measurement of ordered) {
    progress = add(progress, measurement, input.check);
    if (hasFailed(input.check, progress)) break;
    if (isClosed(input, progress) && !(goesOn(input) && hasPassed(input.check, progress))) break;
  }
  return progress;
}

function add(before: Progress, last: Measurement, { noData }: Check): Progress {
  const progress = { ...before, last, consecutiveErrors: 0, isLastCounted: true };
  switch (last.judgement.state) {
    case 'Passed':
      return { ...progress, passed: before.passed + 1 };
    case 'Failed':
      return { ...progress, failed: before.failed + 1 };
    case 'Inconclusive':
      // Somebody who was asked and has not decided yet is asked again.
      return isUndecided(last)
        ? { ...progress, isLastCounted: false }
        : { ...progress, inconclusive: before.inconclusive + 1 };
    case 'NoData':
      return { ...progress, noData: before.noData + 1, isLastCounted: noData !== 'Hold' };
    case 'Error':
      return {
        ...progress,
        errors: before.errors + 1,
        consecutiveErrors: before.consecutiveErrors + 1,
        isLastCounted: false,
      };
  }
}

function isUndecided({ outcome }: Measurement): boolean {
  return outcome.kind === 'Data' && outcome.data.kind === 'answer' && outcome.data.answer === 'undecided';
}

/** Counts with the policy for missing data applied. */
function counted({ noData }: Check, progress: Progress): { passed: number; failed: number; all: number } {
  const passed = progress.passed + (noData === 'Pass' ? progress.noData : 0);
  const failed = progress.failed + (noData === 'Fail' ? progress.noData : 0);
  return { passed, failed, all: passed + failed + progress.inconclusive };
}

function hasFailed(check: Check, progress: Progress): boolean {
  return counted(check, progress).failed > check.failureLimit;
}

function isInconclusive(check: Check, progress: Progress): boolean {
  return progress.inconclusive > check.inconclusiveLimit;
}

/**
 * Whether no further measurement counts: the count is reached or nothing can be decided any more; in a soak, the next one
 * would be due after its end. A soak does not close on missing data: it goes on until data comes back.
 */
function isClosed({ check, until }: CheckRunInput, progress: Progress): boolean {
  if (until === undefined) {
    return counted(check, progress).all >= check.count || isInconclusive(check, progress);
  }
  const { last, isLastCounted } = progress;
  return last !== undefined && isLastCounted && after(last.at, check.interval) >= until;
}

/**
 * While a step lasts beyond its checks (its duration, a freeze, an approval, another check that is slower), a check that
 * has passed is measured on, and fails where the candidate turns bad. Whoever was asked is not asked again.
 */
function goesOn({ check, step }: CheckRunInput): boolean {
  return step !== 'Soak' && check.metric.kind !== 'webhook';
}

function hasPassed(check: Check, progress: Progress): boolean {
  return counted(check, progress).passed > 0 && !isInconclusive(check, progress);
}

type Standing = Pick<CheckRun, 'state' | 'because'>;

function end(input: CheckRunInput, progress: Progress): Standing | undefined {
  const { check, until, now } = input;
  const told = progress.last?.judgement.because ?? '';
  const { passed, failed, all } = counted(check, progress);
  if (hasFailed(check, progress)) {
    const tolerated = check.failureLimit === 0 ? '' : ` (${failed} failed, ${check.failureLimit} tolerated)`;
    return { state: 'Failed', because: `${told}${tolerated}` };
  }
  if (!isClosed(input, progress) || (until !== undefined && now < until)) return undefined;
  if (isInconclusive(check, progress)) {
    const because = `${progress.inconclusive} of ${all} measurements were inconclusive; the last: ${told}`;
    return { state: 'Inconclusive', because };
  }
  if (passed === 0) {
    return { state: 'Inconclusive', because: `none of ${all} measurements passed; the last: ${told}` };
  }
  return { state: 'Passed', because: `${passed} of ${all} passed; the last: ${told}` };
}

/** The state of a check that goes on, worst first. */
function standing(input: CheckRunInput, progress: Progress, nextAt: Instant | undefined): Standing {
  const { check, now } = input;
  const { last, consecutiveErrors } = progress;
  if (nextAt === undefined) return { state: 'Pending', because: 'not every proxy has this step yet' };
  if (last === undefined) {
    return nextAt > now
      ? { state: 'Pending', because: 'the first measurement is not due yet' }
      : { state: 'Running', because: 'the first measurement is being made' };
  }
  const told = last.judgement.because;
  if (consecutiveErrors > check.consecutiveErrorLimit) {
    return { state: 'Error', because: `${consecutiveErrors} errors in a row; the last: ${told}` };
  }
  if (isInconclusive(check, progress)) {
    return {
      state: 'Inconclusive',
      because: `${progress.inconclusive} measurements were inconclusive; the last: ${told}`,
    };
  }
  if (last.judgement.state === 'NoData' && check.noData === 'Hold') return { state: 'NoData', because: told };
  const { passed, all } = counted(check, progress);
  return { state: 'Running', because: `${passed} of ${all} passed so far; the last: ${told}` };
}

/** When the next measurement is due; undefined while the step is not everywhere. */
function next({ check, windowFrom }: CheckRunInput, { last }: Progress): Instant | undefined {
  if (windowFrom === undefined) return undefined;
  if (last === undefined) {
    // A measurement looks back over an interval, which must have passed; a probe or a webhook asks now.
    const window = answersByItself(check.metric) ? 0 : check.interval;
    return after(windowFrom, check.initialDelay + window);
  }
  const isError = last.judgement.state === 'Error';
  return after(last.at, isError ? Math.min(check.interval, ERROR_RETRY) : check.interval);
}

/** The fields that only report. */
function run(check: Check, progress: Progress): Omit<CheckRun, 'state' | 'because' | 'nextAt'> {
  const { passed, failed, inconclusive, noData, errors, consecutiveErrors, last } = progress;
  const counts = { passed, failed, inconclusive, noData, errors, consecutiveErrors };
  return { check: check.name, ...counts, ...(last === undefined ? {} : { last }) };
}
