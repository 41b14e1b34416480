/**
 * A check's limits against one measurement's own window: the candidate's value must lie within both bounds. The value is
 * taken as it is; its interval is told so that one sees how sure it is.
 */
import type { Limit } from '../model/check.ts';
import type { MeasuredData } from '../model/measurement.ts';
import type { Finding } from './finding.ts';
import { normalPoint } from './statistics/normal.ts';
import { wilson } from './statistics/proportions.ts';
import { observations, quantileEstimate } from './statistics/quantile.ts';
import { type Subject, text, withUnit } from './subject.ts';

/** The normal point of an interval of 95 percent. */
const NINETY_FIVE = normalPoint(0.025);

/** What a window holds; a number of its own has no count, so no minimum applies to it. */
type Reading =
  | { readonly kind: 'Number'; readonly value: number }
  | {
      readonly kind: 'Counted';
      readonly value: number;
      readonly samples: number;
      readonly interval: { readonly low: number; readonly high: number };
    };

/** Data that a limit can be held against. */
export type LimitedData = Exclude<MeasuredData, { kind: 'answer' }>;

/** Whether a window holds what a limit needs: at least one sample, and `minimumSamples` where samples are counted. */
export function isEnough(data: LimitedData, minimumSamples: number): boolean {
  const needed = Math.max(1, minimumSamples);
  switch (data.kind) {
    case 'value':
      return Number.isFinite(data.candidate);
    case 'ratio':
      return data.candidate.total >= needed;
    case 'histogram':
      return observations(data.candidate) >= needed;
  }
}

/** Judges the candidate's value. */
export function judgeLimit({
  limit,
  data,
  minimumSamples,
  subject,
}: {
  readonly limit: Limit;
  readonly data: LimitedData;
  readonly minimumSamples: number;
  readonly subject: Subject;
}): Finding {
  const reading = read(data, subject.quantile);
  const samples = { candidate: reading.kind === 'Counted' ? reading.samples : 1 };
  if (!isEnough(data, minimumSamples)) {
    const because =
      reading.kind === 'Number'
        ? `${subject.name} is not a number`
        : `${text(reading.samples)} ${subject.samples} are too few to judge ${subject.name}; it needs ${text(minimumSamples)}`;
    return { state: 'NoData', samples, because };
  }
  const { value } = reading;
  const measured = `${subject.name} ${withUnit(value, subject.unit)}${reading.kind === 'Counted' ? ` of ${text(reading.samples)} ${subject.samples}` : ''}`;
  const bounds = { low: limit.min ?? -Infinity, high: limit.max ?? Infinity };
  const said =
    value < bounds.low
      ? `is below ${withUnit(bounds.low, subject.unit)}`
      : value > bounds.high
        ? `is above ${withUnit(bounds.high, subject.unit)}`
        : `is within ${[
            ...(limit.min === undefined ? [] : [`at least ${withUnit(limit.min, subject.unit)}`]),
            ...(limit.max === undefined ? [] : [`at most ${withUnit(limit.max, subject.unit)}`]),
          ].join(' and ')}`;
  const isWithin = value >= bounds.low && value <= bounds.high;
  return {
    state: isWithin ? 'Passed' : 'Failed',
    value,
    samples,
    ...(reading.kind === 'Counted' ? { interval: reading.interval } : {}),
    because: `${measured} ${said}`,
  };
}

function read(data: LimitedData, quantile: number): Reading {
  switch (data.kind) {
    case 'value':
      return { kind: 'Number', value: data.candidate };
    case 'ratio': {
      const { value, low, high } = wilson(data.candidate, NINETY_FIVE);
      const interval = { low: 100 * low, high: 100 * high };
      return { kind: 'Counted', value: 100 * value, samples: data.candidate.total, interval };
    }
    case 'histogram': {
      const { value, low, high } = quantileEstimate(data.candidate, quantile, NINETY_FIVE);
      return { kind: 'Counted', value, samples: observations(data.candidate), interval: { low, high } };
    }
  }
}
