/** States of rollouts, checks and gates as an icon and a word, with their colours; and short texts of a rollout. Pure. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { CHECK_STATE, ROLLOUT_STATE, STEP_PROGRESS, VERDICT_STATE, wordOf } from '../../admin/enums.ts';
import type { CheckState, Verdict, VerdictState } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import type { Freeze } from '../../gen/switchyard/admin/v1/resources_pb.js';
import type {
  Rollout,
  RolloutState,
  RolloutView,
  StepView,
} from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import type { Paint } from '../shell.ts';
import { age, clockTime } from '../time.ts';
import { countText, numberText } from './numbers.ts';

type Look = readonly [icon: string, colour: keyof Paint];

const GOOD: Look = ['✔', 'good'];
const BAD: Look = ['✖', 'bad'];
const BUSY: Look = ['◌', 'busy'];
const WAITING: Look = ['◷', 'busy'];
const PAUSED: Look = ['॥', 'busy'];
const UNKNOWN: Look = ['?', 'busy'];
const ERROR: Look = ['⚠', 'bad'];
const NOTHING: Look = ['∅', 'busy'];
const NEUTRAL: Look = ['•', 'faint'];

const ROLLOUT_LOOK: Readonly<Record<string, Look>> = {
  Waiting: WAITING,
  Progressing: BUSY,
  Paused: PAUSED,
  Inconclusive: UNKNOWN,
  Succeeded: GOOD,
  Aborted: BAD,
  RolledBack: BAD,
  Failed: BAD,
} satisfies Record<keyof typeof ROLLOUT_STATE, Look>;

const CHECK_LOOK: Readonly<Record<string, Look>> = {
  Pending: WAITING,
  Running: BUSY,
  Passed: GOOD,
  Failed: BAD,
  Error: ERROR,
  Inconclusive: UNKNOWN,
  NoData: NOTHING,
  Skipped: NEUTRAL,
} satisfies Record<keyof typeof CHECK_STATE, Look>;

/** Icon and word, each painted by itself, so that a line may be broken between them. */
function looked(paint: Paint, [icon, colour]: Look, word: string): string {
  return `${paint[colour](icon)} ${paint[colour](word)}`;
}

export function rolloutStateText(paint: Paint, state: RolloutState): string {
  const word = wordOf(ROLLOUT_STATE, state);
  return looked(paint, ROLLOUT_LOOK[word] ?? UNKNOWN, word);
}

export function checkStateText(paint: Paint, state: CheckState): string {
  const word = wordOf(CHECK_STATE, state);
  return looked(paint, CHECK_LOOK[word] ?? UNKNOWN, word);
}

export function verdictStateText(paint: Paint, state: VerdictState): string {
  const word = wordOf(VERDICT_STATE, state);
  return looked(paint, CHECK_LOOK[word] ?? UNKNOWN, word);
}

/** The present step looks as the rollout does: it goes on, is paused, or was given up. */
export function stepText(paint: Paint, { step, progress }: StepView, rollout: Rollout | undefined): string {
  const word = wordOf(STEP_PROGRESS, progress);
  const look =
    word === 'Current'
      ? ROLLOUT_LOOK[wordOf(ROLLOUT_STATE, rollout?.state ?? 0)]
      : word === 'Done'
        ? GOOD
        : NEUTRAL;
  const [icon, colour] = look ?? UNKNOWN;
  return paint[colour](`${icon}\u00a0${step?.name ?? ''}`);
}

/** `Shift-25`, and `Shift-25 #2` in the second attempt. */
export function attemptedStep({
  step,
  attempt,
}: {
  readonly step: string;
  readonly attempt: number;
}): string {
  return attempt > 1 ? `${step} #${attempt}` : step;
}

/** `4/7`: the present step among all, or the last one that was done. */
export function stepCount({ steps }: RolloutView): string {
  const current = steps.findIndex(({ progress }) => progress === STEP_PROGRESS.Current);
  const done = steps.filter(({ progress }) => progress === STEP_PROGRESS.Done).length;
  return `${current === -1 ? done : current + 1}/${steps.length}`;
}

/** What a view waits for beyond what its state and its checks say already. */
export function otherWaits({ rollout, waitsFor, verdict }: RolloutView): string[] {
  return waitsFor.filter((text) => text !== rollout?.because && text !== verdict?.because);
}

/** What the checks of a rollout add up to; undefined where it ended before they had. */
export function shownVerdict({ rollout, verdict }: RolloutView): Verdict | undefined {
  const isBrokenOff = rollout?.endedAt !== undefined && verdict?.state === VERDICT_STATE.Running;
  return isBrokenOff ? undefined : verdict;
}

/** Icon, word and score of a gate; and why, where that is more than that its checks run or have passed. */
export function verdictText(paint: Paint, { state, score, because }: Verdict): string {
  const word = wordOf(VERDICT_STATE, state);
  const points = score === undefined ? '' : `, score ${countText(score)}`;
  const isPlain = word === 'Running' || word === 'Passed';
  return `${looked(paint, CHECK_LOOK[word] ?? UNKNOWN, word)}${points}${isPlain ? '' : `: ${because}`}`;
}

/** `25% set, 24.8% actual of 1,204 requests`. */
export function weightText({ setWeight, actualWeight }: RolloutView): string {
  const actual =
    actualWeight === undefined
      ? 'actual not reported'
      : `${numberText(actualWeight.percent)}% actual of ${countText(actualWeight.requests)} requests`;
  return `${setWeight}% set, ${actual}`;
}

export function freezeText({ by, since, until, reason }: Freeze, now: number): string {
  const end = until === undefined ? 'until unfreeze' : `until ${clockTime(until)}`;
  return `by ${by} ${age(since, now)} ago, ${end}${reason === '' ? '' : `: ${reason}`}`;
}

/** The time of day in UTC, with the day where that is not today. */
export function momentText(time: Timestamp | undefined, now: number): string {
  if (time === undefined) return '-';
  const text = new Date(timestampMs(time)).toISOString();
  const today = new Date(now).toISOString().slice(0, 10);
  return text.startsWith(today) ? `${text.slice(11, 19)}Z` : `${text.slice(5, 10)} ${text.slice(11, 16)}Z`;
}
