/** What a dry verification measured, and what another policy would have decided. */

import { VERDICT_STATE, wordOf } from '../../admin/enums.ts';
import type { Verdict } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import { CheckState, VerdictState } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import type {
  MeasuredCheck,
  ReplayedStep,
  ReplayResponse,
  VerifyResponse,
} from '../../gen/switchyard/admin/v1/rollout_calls_pb.js';
import { visible } from '../../model/text.ts';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';
import { age, clockTime } from '../time.ts';
import { visibleFields } from '../visible-fields.ts';
import { samplesText, valueText } from './checks.ts';
import { attemptedStep, checkStateText, verdictStateText, verdictText } from './rollout-words.ts';

/** The table of `verify`. */
export function verifyView(paint: Paint): ListView<MeasuredCheck> {
  return {
    columns: [
      { heading: 'CHECK', text: ({ check }) => check?.name ?? '' },
      {
        heading: 'VERDICT',
        text: ({ measurement }) =>
          checkStateText(paint, measurement?.judgement?.state ?? CheckState.UNSPECIFIED),
        paint: (_, { measurement }) =>
          checkStateText(paint, measurement?.judgement?.state ?? CheckState.UNSPECIFIED),
      },
      {
        heading: 'VALUE',
        text: ({ check, measurement }) => (measurement ? valueText(measurement, check) : ''),
      },
      { heading: 'LIMIT', text: ({ measurement }) => measurement?.judgement?.limit ?? '' },
      { heading: 'SAMPLES', text: ({ measurement }) => (measurement ? samplesText(measurement) : '') },
      { heading: 'WINDOW', text: ({ measurement }) => windowText(measurement), wide: true },
      { heading: 'CRITICAL', text: ({ check }) => (check?.critical === true ? 'yes' : 'no'), wide: true },
      { heading: 'QUERIES', text: ({ measurement }) => measurement?.queries.join('; ') ?? '', wide: true },
      { heading: 'BECAUSE', text: ({ measurement }) => measurement?.judgement?.because ?? '' },
    ],
    name: ({ check }) => `check/${check?.name ?? ''}`,
    empty: 'no checks; spec.verification.checks declares them',
  };
}

function windowText(measurement: MeasuredCheck['measurement']): string {
  const { windowFrom, windowTo } = measurement ?? {};
  return windowFrom && windowTo ? age(windowFrom, Number(windowTo.seconds) * 1000) : '';
}

/** The line below the table. */
export function verifyText(paint: Paint, { version, baseline, verdict }: VerifyResponse): string {
  const against = baseline === '' ? '' : ` beside ${baseline}`;
  const sum = verdict === undefined ? 'no verdict' : verdictText(paint, visibleFields(verdict));
  return `${sum} (${version}${against}; nothing was decided)`;
}

/** The table of `replay`. */
export function replayView(paint: Paint): ListView<ReplayedStep> {
  return {
    columns: [
      { heading: 'STEP', text: attemptedStep },
      verdictColumn(paint, 'DECIDED', ({ decided }) => decided),
      verdictColumn(paint, 'WOULD DECIDE', ({ wouldDecide }) => wouldDecide),
      { heading: 'AT', text: ({ at }) => (at === undefined ? '' : clockTime(at)) },
      { heading: 'BECAUSE', text: ({ wouldDecide }) => wouldDecide?.because ?? '' },
    ],
    name: ({ step, attempt }) => `step/${step}/${attempt}`,
    empty: 'no step of this rollout was measured',
  };
}

function verdictColumn(paint: Paint, heading: string, of: (step: ReplayedStep) => Verdict | undefined) {
  return {
    heading,
    text: (step: ReplayedStep) => wordOf(VERDICT_STATE, of(step)?.state ?? 0),
    paint: (_: string, step: ReplayedStep) =>
      verdictStateText(paint, of(step)?.state ?? VerdictState.UNSPECIFIED),
  };
}

/** The sentence below the table, and the checks that nobody measured. */
export function replayLines({ message, steps }: ReplayResponse): string[] {
  const unmeasured = [...new Set(steps.flatMap((step) => step.unmeasured))];
  return [
    visible(message),
    ...(unmeasured.length === 0 ? [] : [visible(`never measured, so not judged: ${unmeasured.join(', ')}`)]),
  ];
}
