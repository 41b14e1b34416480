/** Rollouts and measurements as tables. */

import { timestampMs } from '@bufbuild/protobuf/wkt';
import { CHECK_STATE, ROLLOUT_STATE, wordOf } from '../../admin/enums.ts';
import type { Measurement } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import { CheckState } from '../../gen/switchyard/admin/v1/measurements_pb.js';
import type { Rollout } from '../../gen/switchyard/admin/v1/rollouts_pb.js';
import { formatDuration } from '../duration.ts';
import type { ListView } from '../output.ts';
import type { Paint } from '../shell.ts';
import { age, clockTime } from '../time.ts';
import { samplesText, valueText } from './checks.ts';
import { numberText } from './numbers.ts';
import { attemptedStep, checkStateText, momentText, rolloutStateText } from './rollout-words.ts';

export function rolloutsView(paint: Paint, now: number): ListView<Rollout> {
  return {
    columns: [
      { heading: 'ROLLOUT', text: ({ id }) => id },
      {
        heading: 'STATE',
        text: ({ state }) => wordOf(ROLLOUT_STATE, state),
        paint: (_, { state }) => rolloutStateText(paint, state),
      },
      { heading: 'STEP', text: ({ step }) => step?.name ?? '' },
      { heading: 'BASELINE', text: ({ baseline }) => baseline, wide: true },
      { heading: 'ATTEMPT', text: ({ attempt }) => String(attempt), wide: true },
      { heading: 'STARTED', text: ({ startedAt }) => age(startedAt, now) },
      { heading: 'TOOK', text: (rollout) => tookText(rollout, now) },
      { heading: 'BY', text: ({ startedBy }) => startedBy, wide: true },
      { heading: 'BECAUSE', text: ({ because }) => because },
    ],
    name: ({ id }) => `rollout/${id}`,
    empty: 'no rollouts; one begins with `switchyard deploy SERVICE VERSION`',
  };
}

function tookText({ startedAt, endedAt }: Rollout, now: number): string {
  if (startedAt === undefined) return '';
  const end = endedAt === undefined ? now : timestampMs(endedAt);
  return formatDuration(Math.max(0, end - timestampMs(startedAt)));
}

export function measurementsView(paint: Paint, now: number): ListView<Measurement> {
  return {
    columns: [
      { heading: 'TIME', text: ({ at }) => momentText(at, now) },
      { heading: 'STEP', text: attemptedStep },
      { heading: 'CHECK', text: ({ check }) => check },
      {
        heading: 'VERDICT',
        text: ({ judgement }) => wordOf(CHECK_STATE, judgement?.state ?? 0),
        paint: (_, { judgement }) => checkStateText(paint, judgement?.state ?? CheckState.UNSPECIFIED),
      },
      { heading: 'VALUE', text: (measurement) => valueText(measurement, undefined) },
      { heading: 'SAMPLES', text: samplesText },
      { heading: 'WINDOW', text: windowText, wide: true },
      { heading: 'INTERVAL', text: intervalText, wide: true },
      { heading: 'LIMIT', text: ({ judgement }) => judgement?.limit ?? '' },
      { heading: 'BECAUSE', text: ({ judgement }) => judgement?.because ?? '', wide: true },
      { heading: 'QUERIES', text: ({ queries }) => queries.join('; '), wide: true },
    ],
    name: ({ rollout, step, check, at }) => `measurement/${rollout}/${step}/${check}/${clockTime(at)}`,
    empty: 'no measurements',
  };
}

function windowText({ windowFrom, windowTo }: Measurement): string {
  return windowFrom && windowTo ? age(windowFrom, timestampMs(windowTo)) : '';
}

function intervalText({ judgement }: Measurement): string {
  const interval = judgement?.interval;
  return interval === undefined ? '' : `${numberText(interval.low)} to ${numberText(interval.high)}`;
}
