/**
 * From one measurement to its judgement. What could not be measured is Error, what held nothing is NoData, and neither
 * ever passes. Limits look at the measurement's own window; comparisons at all data of the step added up, at a level that
 * holds however often one looks. Of several conditions the worst counts.
 */
import type { Check, CheckedStep } from '../model/check.ts';
import type { Judgement, MeasuredData, MeasuredOutcome, Measurement } from '../model/measurement.ts';
import type { VersionName } from '../model/names.ts';
import { addUp } from './added-up.ts';
import { judgeComparison } from './comparison.ts';
import { type Finding, worst } from './finding.ts';
import { judgeLimit } from './limit.ts';
import { conditionText, subjectOf } from './subject.ts';

export interface JudgeInput {
  readonly check: Check;
  /** A Soak has no known number of looks, so its comparisons use another boundary. */
  readonly step: CheckedStep;
  readonly outcome: MeasuredOutcome;
  /** The earlier measurements of the same key (rollout, attempt, step, check), oldest first. */
  readonly earlier: readonly Pick<Measurement, 'outcome'>[];
  readonly version: VersionName;
  readonly baseline?: VersionName;
}

/** Judges one measurement. The same input always gives the same judgement, so a stored rollout can be judged again. */
export function judge(input: JudgeInput): Judgement {
  return { ...find(input), limit: conditionText(input.check, input.baseline) };
}

function find(input: JudgeInput): Finding {
  const { check, outcome } = input;
  const subject = subjectOf(check);
  switch (outcome.kind) {
    case 'Error':
      return {
        state: 'Error',
        samples: { candidate: 0 },
        because: `${subject.name} could not be measured: ${outcome.reason}`,
      };
    case 'NoData':
      return {
        state: 'NoData',
        samples: { candidate: 0 },
        because: `there is no data for ${subject.name}: ${outcome.reason}`,
      };
    case 'Data':
      return outcome.data.kind === 'answer' ? answer(outcome.data) : measured(input, outcome.data);
  }
}

const ANSWERED = {
  approved: { state: 'Passed', word: 'passed' },
  refused: { state: 'Failed', word: 'refused' },
  undecided: { state: 'Inconclusive', word: 'is not decided yet' },
} as const;

function answer({ answer: said, detail }: Extract<MeasuredData, { kind: 'answer' }>): Finding {
  const { state, word } = ANSWERED[said];
  return { state, samples: { candidate: 1 }, because: detail === '' ? word : `${word}: ${detail}` };
}

/** Limit and comparison, the worst of both. */
function measured(
  { check, step, outcome, earlier, baseline }: JudgeInput,
  data: Exclude<MeasuredData, { kind: 'answer' }>,
): Finding {
  const { limit, comparison } = check.condition;
  const { minimumSamples, count } = check;
  const subject = subjectOf(check);
  const findings: Finding[] = [];
  if (limit !== undefined) findings.push(judgeLimit({ limit, data, minimumSamples, subject }));
  if (comparison !== undefined) {
    const outcomes = [...earlier.map((measurement) => measurement.outcome), outcome];
    const evidence = addUp(outcomes, { minimumSamples, hasLimit: limit !== undefined });
    findings.push(judgeComparison({ comparison, evidence, step, count, minimumSamples, subject, baseline }));
  }
  const because = `${check.name} has neither a limit nor a comparison, so nothing says what is good`;
  return worst(findings) ?? { state: 'Inconclusive', samples: { candidate: 0 }, because };
}
