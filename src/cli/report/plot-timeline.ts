/** Plots over time: default requests by version, and the share that the candidate served. Pure. */
import type { RolloutReport, TimelinePoint } from '../../model/report.ts';
import { countText, numberText } from '../views/numbers.ts';
import { element, type Markup, text } from './markup.ts';
import {
  type Axis,
  areaOf,
  axes,
  figure,
  legendOf,
  linear,
  nameAt,
  path,
  roundTicks,
  timeAxis,
} from './plot.ts';
import { defaultVersions } from './words.ts';

const SIZE = { width: 720, height: 240 };
const LOW = { width: 720, height: 150 };

/** Requests a second by version; `×` marks seconds with failures. */
export function requestsPlot(report: RolloutReport): Markup | undefined {
  const versions = defaultVersions(report);
  if (versions.length === 0) return undefined;
  const { timeline, window } = report;
  const area = areaOf(SIZE);
  const seconds = secondsOf(report);
  const rate = (point: TimelinePoint, version: string): number => (point.requests[version] ?? 0) / seconds;
  const top =
    Math.max(...timeline.flatMap((point) => versions.map((version) => rate(point, version)))) * 1.1 || 1;
  const x = timeAxis(window, SIZE);
  const y: Axis = {
    scale: linear([0, top], [area.bottom, area.top]),
    ticks: roundTicks(0, top, 4).map((at) => ({ at, label: numberText(at) })),
  };
  const lines = versions.flatMap((version, index) => {
    const points = timeline.map(
      (point) => [x.scale(middleOf(point, seconds)), y.scale(rate(point, version))] as const,
    );
    const failures = timeline.flatMap((point, at) => {
      const [cx = 0, cy = 0] = points[at] ?? [];
      const failed = point.errors[version] ?? 0;
      if (failed === 0) return [];
      return [
        element(
          'text',
          { class: 'failure', x: cx, y: cy + 5, 'text-anchor': 'middle' },
          text('×'),
          element('title', {}, text(`${countText(failed)} failed on ${version}`)),
        ),
      ];
    });
    return [...path(points, index), ...failures];
  });
  return figure({
    title: 'Default requests a second, by version',
    description: `Default requests a second over time on ${versions.join(' and ')}; a cross marks failures.`,
    size: SIZE,
    legend: [...legendOf(versions), element('span', { class: 'failure-name' }, text('× failures'))],
    marks: [...axes(x, y, SIZE, 'requests/s'), ...decisionMarks(report, x, SIZE), ...lines],
  });
}

/** Percent of the default requests that the candidate served. */
export function sharePlot(report: RolloutReport): Markup | undefined {
  const { timeline, window, rollout } = report;
  if (defaultVersions(report).length === 0) return undefined;
  const area = areaOf(LOW);
  const seconds = secondsOf(report);
  const x = timeAxis(window, LOW);
  const y: Axis = {
    scale: linear([0, 100], [area.bottom, area.top]),
    ticks: [0, 50, 100].map((at) => ({ at, label: String(at) })),
  };
  const points = timeline.map((point) => {
    const all = Object.values(point.requests).reduce((sum, each) => sum + each, 0);
    if (all === 0) return undefined;
    const share = (100 * (point.requests[rollout.version] ?? 0)) / all;
    return [x.scale(middleOf(point, seconds)), y.scale(share)] as const;
  });
  return figure({
    title: `Share of the default requests that ${rollout.version} served`,
    description: `Percent of the default requests that reached ${rollout.version}, over time.`,
    size: LOW,
    marks: [
      ...axes(x, y, LOW, 'percent'),
      ...decisionMarks(report, x, LOW),
      ...path(points, 1),
      ...nameAt(
        rollout.version,
        points.findLast((point) => point !== undefined),
        LOW,
      ),
    ],
  });
}

/** The length of a point of the timeline, in seconds. */
function secondsOf({ timeline, window }: RolloutReport): number {
  const [first, second] = timeline;
  return ((second?.at ?? window.to) - (first?.at ?? window.from)) / 1000 || 1;
}

function middleOf({ at }: TimelinePoint, seconds: number): number {
  return at + seconds * 500;
}

/** More marks than these would hide the lines. */
const MOST_MARKS = 40;

/** A thin line for each decision, with its number in the list of decisions where there is room. */
function decisionMarks(
  { decisions, window }: RolloutReport,
  x: Axis,
  size: { width: number; height: number },
): Markup[] {
  const area = areaOf(size);
  let lastLabel = Number.NEGATIVE_INFINITY;
  return decisions.slice(0, MOST_MARKS).flatMap(({ at, action, message }, index) => {
    if (at < window.from || at > window.to) return [];
    const at_x = x.scale(at);
    const hasRoom = at_x - lastLabel > 14;
    if (hasRoom) lastLabel = at_x;
    return [
      element(
        'line',
        { class: 'decision', x1: at_x, x2: at_x, y1: area.top, y2: area.bottom },
        element('title', {}, text(`${index + 1}. ${action}: ${message}`)),
      ),
      ...(hasRoom
        ? [
            element(
              'text',
              { class: 'tick', x: at_x, y: area.top - 3, 'text-anchor': 'middle' },
              text(index + 1),
            ),
          ]
        : []),
    ];
  });
}
