/**
 * One rollout for an operator: a header with where it stands and what it waits for, then a tree of its versions, checks
 * and last decisions. Pure: from the API's message to lines, none wider than the terminal; where the terminal is not
 * high enough, what matters least is left out first.
 */
import { timestampMs } from '@bufbuild/protobuf/wkt';

import { ROLLOUT_STEP } from '../../admin/enums.ts';
import type { Rollout, RolloutView } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import type { Paint } from '../shell.ts';
import { cut } from '../table.ts';
import { age } from '../time.ts';
import { type Branch, treeLines } from '../tree.ts';
import { visibleFields } from '../visible-fields.ts';
import { wrap } from '../wrap.ts';
import { checkBranches } from './checks.ts';
import { gapText } from './gaps.ts';
import { delegateFacts, delegatesBranch } from './rollout-delegates.ts';
import { type InstanceChoice, versionBranches } from './rollout-versions.ts';
import {
  freezeText,
  momentText,
  otherWaits,
  rolloutStateText,
  shownVerdict,
  stepCount,
  stepText,
  verdictText,
  weightText,
} from './rollout-words.ts';

/** Where a view is shown. */
export interface Frame {
  readonly paint: Paint;
  readonly now: number;
  /** Characters in a line; absent: no limit, as in a pipe. */
  readonly width?: number;
  /** Lines that fit; absent: no limit. */
  readonly height?: number;
  /** Shows addresses, queries, statistics and more decisions. */
  readonly wide: boolean;
}

/** How much is shown. */
interface Detail {
  readonly instances: InstanceChoice;
  readonly decisions: number;
  /** A long decision goes on in the next line; else it is cut. */
  readonly wraps: boolean;
}

/** From all to the least, for terminals that are not high enough. */
const DETAILS: readonly Detail[] = [
  { instances: 'all', decisions: 5, wraps: true },
  { instances: 'troubled', decisions: 5, wraps: true },
  { instances: 'troubled', decisions: 3, wraps: false },
  { instances: 'none', decisions: 3, wraps: false },
  { instances: 'none', decisions: 1, wraps: false },
];
const WIDE_DETAIL: Detail = { instances: 'all', decisions: 20, wraps: true };

/** The lines of the view. */
export function rolloutLines(message: RolloutView, frame: Frame): string[] {
  const view = visibleFields(message);
  const details = frame.wide ? [WIDE_DETAIL, ...DETAILS] : DETAILS;
  let lines: string[] = [];
  for (const detail of details) {
    lines = [...headerLines(view, frame), '', ...bodyLines(view, frame, detail)];
    if (frame.height === undefined || lines.length <= frame.height) break;
  }
  return lines;
}

const LABEL_WIDTH = 10;

function headerLines(view: RolloutView, frame: Frame): string[] {
  const { paint, now, width } = frame;
  const { rollout, freeze } = view;
  if (rollout === undefined) return [];
  const waits = otherWaits(view);
  const attempt = rollout.attempt > 1 ? `, attempt ${rollout.attempt}` : '';
  const words = rollout.reason === '' ? '' : `: ${rollout.reason}`;
  const facts: [string, string][] = [
    ['Service', rollout.service],
    ['Rollout', `${rollout.id}${attempt}${rollout.urgent ? ', urgent' : ''}`],
    ['Started', `${age(rollout.startedAt, now)} ago by ${rollout.startedBy}${tookText(rollout)}${words}`],
    ['Version', `${rollout.version}, compared with ${rollout.baseline}`],
    ...(rollout.group.length > 1 ? [['Group', rollout.group.join(', ')] as [string, string]] : []),
    ['State', stateText(view, frame)],
    ['Step', stepLine(view, frame)],
    ['Weight', weightText(view)],
    ...(freeze ? [['Freeze', paint.busy(freezeText(freeze, now))] as [string, string]] : []),
    ...(rollout.fullyPromotedBy === ''
      ? []
      : [['Promoted', `fully, by ${rollout.fullyPromotedBy}`] as [string, string]]),
    ...delegateFacts(view, paint),
    ...gapFacts(rollout),
    ['Way back', wayBackText(view, paint)],
    ...(waits.length === 0 ? [] : [['Waits', waits.join('; ')] as [string, string]]),
  ];
  return facts.flatMap(([label, text]) => labelled(label, text, width));
}

/** The last time in which clients without a proxy were led elsewhere than those with one. */
function gapFacts({ primaryServiceGaps }: Rollout): [string, string][] {
  const gap = primaryServiceGaps.at(-1);
  if (gap?.from === undefined) return [];
  const until = gap.until === undefined ? {} : { until: timestampMs(gap.until) };
  const { name, routes, service } = gap;
  return [['Primary', gapText({ name, routes, service, from: timestampMs(gap.from), ...until })]];
}

function tookText({ startedAt, endedAt }: Rollout): string {
  return startedAt && endedAt ? `, took ${age(startedAt, timestampMs(endedAt))}` : '';
}

/** A label and its text; what does not fit goes on below it. */
function labelled(label: string, text: string, width: number | undefined): string[] {
  const room = width === undefined ? undefined : Math.max(1, width - LABEL_WIDTH - 1);
  return wrap(text, room).map((line, index) =>
    cut(`${(index === 0 ? `${label}:` : '').padEnd(LABEL_WIDTH + 1)}${line}`, width),
  );
}

function stateText({ rollout }: RolloutView, { paint, now }: Frame): string {
  if (rollout === undefined) return '';
  const reason = rollout.stateReason === '' ? '' : ` (${rollout.stateReason})`;
  const because = rollout.because === '' ? '' : `: ${rollout.because}`;
  return `${rolloutStateText(paint, rollout.state)}${reason} since ${age(rollout.since, now)}${because}`;
}

function stepLine(view: RolloutView, { now }: Frame): string {
  const { rollout } = view;
  if (rollout === undefined) return '';
  const isShift = rollout.step?.kind === ROLLOUT_STEP.Shift;
  const everywhere = isShift && rollout.stepEverywhere === undefined ? ', not everywhere yet' : '';
  const since = rollout.endedAt === undefined ? ` since ${age(rollout.stepSince, now)}${everywhere}` : '';
  return `${stepCount(view)} ${rollout.step?.name ?? ''}${since}`;
}

function wayBackText({ wayBack }: RolloutView, paint: Paint): string {
  if (wayBack === undefined) return 'unknown';
  const ready = `${wayBack.readyEndpoints} ready ${wayBack.readyEndpoints === 1 ? 'endpoint' : 'endpoints'}`;
  if (wayBack.isReady) return `${paint.good('✔')} to ${wayBack.to}, ${ready}`;
  const to = wayBack.to === '' ? '' : ` to ${wayBack.to}:`;
  return `${paint.bad('✖')}${to} ${wayBack.problems.join('; ') || 'not ready'}`;
}

function bodyLines(view: RolloutView, frame: Frame, detail: Detail): string[] {
  const { paint, now, width } = frame;
  const decisions = view.decisions.slice(-detail.decisions);
  const branches: Branch[] = [
    {
      text: view.steps.map((step) => stepText(paint, step, view.rollout)).join(' '),
      wraps: true,
    },
    ...delegatesBranch(view, frame),
    ...versionBranches(view, { paint, now, instances: detail.instances, wide: frame.wide }),
    ...checksBranch(view, frame),
    {
      text: decisions.length === 0 ? 'no decisions yet' : 'decisions',
      below: decisions.map(({ at, actor, message }) => ({
        text: `${momentText(at, now)}  ${actor}  ${withoutService(message, view)}`,
        wraps: detail.wraps,
      })),
    },
  ];
  return treeLines(branches, width).map((line) => line.replaceAll('\u00a0', ' '));
}

/** What a tree puts before a check. */
const CHECK_RAILS = 8;

function checksBranch(view: RolloutView, { paint, now, wide, width }: Frame): Branch[] {
  const { checks, rollout } = view;
  const verdict = shownVerdict(view);
  if (checks.length === 0 && verdict === undefined) return [];
  const sum = verdict === undefined ? '' : ` ${verdictText(paint, verdict)}`;
  const isSoak = rollout?.step?.kind === ROLLOUT_STEP.Soak;
  const room = width === undefined ? {} : { room: width - CHECK_RAILS };
  const below = checkBranches(checks, { paint, now, wide, isSoak, ...room });
  return [{ text: `checks${sum}`, wraps: true, below }];
}

/** The reader knows which service it is. */
function withoutService(message: string, { rollout }: RolloutView): string {
  const prefix = `${rollout?.service ?? ''}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
