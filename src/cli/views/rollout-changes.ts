/**
 * A rollout that is watched where the output goes to a file or a log: the whole view once, then one line for each thing
 * that changed. Pure but for what was printed last.
 */

import { ROLLOUT_STATE, wordOf } from '../../admin/enums.ts';
import type { CheckView } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import type { RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { RolloutState } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { ChangedLines } from '../live.ts';
import { clockTime } from '../time.ts';
import { visibleFields } from '../visible-fields.ts';
import { samplesText, valueText } from './checks.ts';
import { type Frame, rolloutLines } from './rollout.ts';
import { checkStateText, otherWaits, rolloutStateText, stepCount, weightText } from './rollout-words.ts';

interface KeyedLine {
  readonly key: string;
  readonly text: string;
}

/** Gives the lines to print for each view that comes. */
export class RolloutChanges {
  readonly #changed = new ChangedLines();
  #rollout = '';

  next(message: RolloutView, frame: Frame): string[] {
    const view = visibleFields(message);
    const id = view.rollout?.id ?? '';
    const isFirst = id !== this.#rollout;
    this.#rollout = id;
    const fresh = this.#changed.next(changeLines(view, frame));
    return isFirst ? rolloutLines(message, frame) : fresh;
  }
}

/** A line's key leaves out what changes with time alone: ages, actual weights, values of checks that stay as they are. */
function changeLines(view: RolloutView, frame: Frame): KeyedLine[] {
  return [
    ...view.decisions.map(({ sequence, at, actor, action, message }) => ({
      key: `event/${sequence}`,
      text: `${clockTime(at)}  ${action} by ${actor}: ${message}`,
    })),
    ...view.checks.flatMap((check) => checkLine(view, check, frame)),
    stateLine(view, frame),
  ];
}

function stateLine(view: RolloutView, { paint, now }: Frame): KeyedLine {
  const { rollout, setWeight, verdict } = view;
  const state = wordOf(ROLLOUT_STATE, rollout?.state ?? 0);
  const step = rollout?.step?.name ?? '';
  const why = [rollout?.because ?? '', ...otherWaits(view)].filter((text) => text !== '').join('; ');
  return {
    key: [state, rollout?.stateReason, rollout?.attempt, step, setWeight, verdict?.state].join('|'),
    text: `${clockNow(now)}  ${rolloutStateText(paint, rollout?.state ?? RolloutState.UNSPECIFIED)}  ${stepCount(view)} ${step}, ${weightText(view)}: ${why}`,
  };
}

function checkLine({ rollout }: RolloutView, { check, run }: CheckView, { paint }: Frame): KeyedLine[] {
  const last = run?.last;
  if (check === undefined || run === undefined || last === undefined) return [];
  const step = rollout?.step?.name ?? '';
  const facts = [valueText(last, check), samplesText(last), last.judgement?.limit ?? ''];
  const shown = facts.filter((text) => text !== '' && text !== '-').join(', ');
  return [
    {
      key: ['check', step, rollout?.attempt, check.name, run.state, run.failed, run.inconclusive].join('|'),
      text: `${clockTime(last.at)}  check ${check.name} at ${step}: ${checkStateText(paint, run.state)}${shown === '' ? '' : ` (${shown})`}: ${run.because}`,
    },
  ];
}

function clockNow(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
