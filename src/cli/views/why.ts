/** Why a rollout stands where it stands, in a few lines. Pure. */
import type { RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { cut } from '../table.ts';
import { age } from '../time.ts';
import { visibleFields } from '../visible-fields.ts';
import { wrap } from '../wrap.ts';
import type { Frame } from './rollout.ts';
import {
  freezeText,
  momentText,
  otherWaits,
  rolloutStateText,
  shownVerdict,
  stepCount,
  verdictStateText,
  weightText,
} from './rollout-words.ts';

const SHOWN_DECISIONS = 5;

/** State and reason, what it waits for, what the checks say, the last decisions. */
export function whyLines(message: RolloutView, frame: Frame): string[] {
  const { paint, now, width, wide } = frame;
  const view = visibleFields(message);
  const { rollout, freeze } = view;
  const verdict = shownVerdict(view);
  if (rollout === undefined) return [];
  const reason = rollout.stateReason === '' ? '' : ` (${rollout.stateReason})`;
  const state = `${rolloutStateText(paint, rollout.state)}${reason} since ${age(rollout.since, now)}`;
  const decisions = view.decisions.slice(wide ? 0 : -SHOWN_DECISIONS);
  return [
    ...wrap(`${rollout.id}: ${state}`, width),
    ...indented([`at ${stepCount(view)} ${rollout.step?.name ?? ''}, ${weightText(view)}`], width),
    ...section('because', rollout.because === '' ? [] : [rollout.because], width),
    ...section('waits', otherWaits(view), width),
    ...section('frozen', freeze ? [freezeText(freeze, now)] : [], width),
    ...section(
      'checks',
      verdict
        ? [
            verdict.because === rollout.because
              ? verdictStateText(paint, verdict.state)
              : `${verdictStateText(paint, verdict.state)}: ${verdict.because}`,
          ]
        : [],
      width,
    ),
    ...section(
      'decided last',
      decisions.map(({ at, actor, message: told, reason: words }) => {
        const why = words === '' || told.includes(words) ? '' : ` (${words})`;
        return `${momentText(at, now)} ${actor}: ${told}${why}`;
      }),
      width,
    ),
  ].map((line) => cut(line, width));
}

function section(title: string, texts: readonly string[], width: number | undefined): string[] {
  return texts.length === 0 ? [] : [`${title}:`, ...indented(texts, width)];
}

function indented(texts: readonly string[], width: number | undefined): string[] {
  const room = width === undefined ? undefined : Math.max(1, width - 2);
  return texts.flatMap((text) => wrap(text, room).map((line) => `  ${line}`));
}
