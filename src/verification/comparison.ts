/**
 * A check's comparison with the baseline, over all data of the step so far. The candidate fails where it is worse beyond
 * chance, at the level that this look has, and by at least the tolerance. Not failing is not proof of being as good, so
 * the smallest effect that would have been seen is told with every pass.
 */
import type { CheckedStep, Comparison } from '../model/check.ts';
import type { VersionName } from '../model/names.ts';
import type { Evidence } from './added-up.ts';
import { compareHistograms } from './compare-histograms.ts';
import { compareRatios } from './compare-ratios.ts';
import { compareValues } from './compare-values.ts';
import type { Compared, Question, Shown } from './compared.ts';
import type { Finding } from './finding.ts';
import { lookLevel } from './statistics/sequential.ts';
import { effectText, type Subject, text, withUnit } from './subject.ts';

/** What a comparison is judged by, beside the data. */
export interface ComparisonInput {
  readonly comparison: Comparison;
  /** Absent: nothing to compare with was measured. */
  readonly evidence: Evidence | undefined;
  readonly step: CheckedStep;
  /** Looks that the step needs. */
  readonly count: number;
  readonly minimumSamples: number;
  readonly subject: Subject;
  readonly baseline: VersionName | undefined;
}

/** Judges the candidate against the baseline. */
export function judgeComparison(input: ComparisonInput): Finding {
  const { evidence, subject, baseline, minimumSamples } = input;
  const other = baseline ?? 'the baseline';
  if (evidence === undefined) {
    const because = `${subject.name} of ${other} was not measured, so there is nothing to compare with`;
    return { state: 'NoData', samples: { candidate: 0, baseline: 0 }, because };
  }
  const { sizes } = evidence;
  if (!evidence.isLook) {
    const because = `${text(sizes.candidate)} ${subject.samples}, and ${text(sizes.baseline)} of ${other}, are too few to compare ${subject.name}; each side needs ${text(minimumSamples)}`;
    return { state: 'NoData', samples: sizes, because };
  }
  const compared = compare(input, evidence);
  const shown = compared.shown;
  return {
    state: shown.length > 0 ? 'Failed' : 'Passed',
    value: compared.value,
    baseline: compared.baseline,
    samples: sizes,
    ...(compared.interval === undefined ? {} : { interval: compared.interval }),
    ...(compared.smallestEffect === undefined ? {} : { smallestEffect: compared.smallestEffect }),
    because: sentence(compared, { input, evidence, other }),
  };
}

/** Asks the data; the chance of a false alarm is divided among the directions, and by each kind among its tests. */
function compare(
  { comparison, step, count, subject }: ComparisonInput,
  { sum, information }: Evidence,
): Compared {
  const sides = comparison.bad === 'Either' ? 2 : 1;
  const question: Question = {
    comparison,
    subject,
    level: (share) =>
      lookLevel({
        plan: { kind: step === 'Soak' ? 'Open' : 'Planned', looks: count },
        falseAlarm: (share * comparison.falseAlarm) / sides,
        information,
      }),
  };
  switch (sum.kind) {
    case 'ratio':
      return compareRatios(sum, question);
    case 'histogram':
      return compareHistograms(sum, question);
    case 'value':
      return compareValues(sum, question);
  }
}

/** `success rate 94.8 % of 1,204 requests is 4.6 points below v1's 99.4 % of 1,180, beyond chance`. */
function sentence(
  compared: Compared,
  { input, evidence, other }: { input: ComparisonInput; evidence: Evidence; other: string },
): string {
  const { subject } = input;
  const { sizes } = evidence;
  const facts = `${subject.name} ${withUnit(compared.value, subject.unit)} of ${text(sizes.candidate)} ${subject.samples} against ${withUnit(compared.baseline, subject.unit)} of ${text(sizes.baseline)} of ${other}`;
  if (compared.shown.length > 0) {
    return `${facts}: ${compared.shown.map((shown) => shownText(shown, subject)).join(', ')}, beyond chance`;
  }
  const worth =
    compared.smallestEffect === undefined
      ? 'so few could not have shown any effect'
      : `${effectText(compared.smallestEffect, subject)} or more would have shown`;
  return `${facts}: not worse beyond chance and tolerance; ${worth}`;
}

function shownText({ what, effect }: Shown, subject: Subject): string {
  switch (what) {
    case 'Above':
      return `${effectText(effect, subject)} higher`;
    case 'Below':
      return `${effectText(effect, subject)} lower`;
    case 'Tail':
      return `tail ${effectText(effect, subject)} off`;
    case 'Spread':
      return `spread ${text(100 * effect)} % wider`;
  }
}
