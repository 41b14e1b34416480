/** How long default requests took on the baseline and on the candidate, as shares of each side's requests. Pure. */
import type { RolloutReport } from '../../model/report.ts';
import { DURATION_BOUNDS } from '../../model/traffic.ts';
import { numberText } from '../views/numbers.ts';
import { element, type Markup, text } from './markup.ts';
import {
  type Axis,
  areaOf,
  axes,
  figure,
  legendOf,
  linear,
  lineClass,
  logarithmic,
  roundTicks,
} from './plot.ts';
import { millisecondsText } from './words.ts';

const SIZE = { width: 720, height: 240 };
/** Where the axis begins at the latest: a logarithmic one has no zero. */
const SHORTEST = 0.3;
const TICKS = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];

export function latencyPlot({ byVersion, rollout }: RolloutReport): Markup | undefined {
  const sides = [rollout.baseline, rollout.version].flatMap((version, index) => {
    const row = byVersion.find((each) => each.route === 'Default' && each.version === version);
    const all = row?.durations.reduce((sum, count) => sum + count, 0) ?? 0;
    if (row === undefined || all === 0) return [];
    return [
      {
        version: String(version),
        index,
        p50: row.p50,
        shares: row.durations.map((count) => (100 * count) / all),
      },
    ];
  });
  if (sides.length === 0) return undefined;
  const used = sides.flatMap(({ shares }) => shares.flatMap((share, bucket) => (share > 0 ? [bucket] : [])));
  const [first, last] = [Math.min(...used), Math.max(...used)];
  const edge = (bucket: number): number =>
    bucket < 0 ? SHORTEST : (DURATION_BOUNDS[bucket] ?? (DURATION_BOUNDS.at(-1) ?? 0) * 1.22);
  const range = [edge(first - 2), edge(last + 1)] as const;
  const area = areaOf(SIZE);
  const top = Math.max(...sides.flatMap(({ shares }) => shares)) * 1.15;
  const x: Axis = {
    scale: logarithmic(range, [area.left, area.right]),
    ticks: TICKS.filter((at) => at >= range[0] && at <= range[1]).map((at) => ({
      at,
      label: numberText(at),
    })),
  };
  const y: Axis = {
    scale: linear([0, top], [area.bottom, area.top]),
    ticks: roundTicks(0, top, 4).map((at) => ({ at, label: numberText(at) })),
  };
  const marks = sides.flatMap(({ version, index, shares, p50 }) => {
    const steps = shares.slice(first, last + 1).map((share, offset) => {
      const bucket = first + offset;
      const from = bucket === 0 ? range[0] : edge(bucket - 1);
      return `L${x.scale(from).toFixed(1)} ${y.scale(share).toFixed(1)}L${x.scale(edge(bucket)).toFixed(1)} ${y.scale(share).toFixed(1)}`;
    });
    const start = `M${x.scale(first === 0 ? range[0] : edge(first - 1)).toFixed(1)} ${y.scale(0)}`;
    const end = `L${x.scale(edge(last)).toFixed(1)} ${y.scale(0)}`;
    return [
      element('path', { class: lineClass(index), d: `${start}${steps.join('')}${end}` }),
      ...(p50 === undefined ? [] : medianMark({ version, at: x.scale(p50), index, p50 })),
    ];
  });
  return figure({
    title: 'How long default requests took',
    description: `Distribution of the durations of default requests on ${sides.map(({ version, p50 }) => `${version} (median ${millisecondsText(p50)})`).join(' and ')}.`,
    size: SIZE,
    legend: sides.flatMap(({ version, index }) =>
      legendOf([rollout.baseline, version].slice(0, index + 1)).slice(index * 2),
    ),
    marks: [...axes(x, y, SIZE, 'percent of requests, by milliseconds'), ...marks],
  });
}

/** A triangle below the axis at the median, and its value above. */
function medianMark(median: { version: string; at: number; index: number; p50: number }): Markup[] {
  const { bottom, top } = areaOf(SIZE);
  const { version, at, index, p50 } = median;
  return [
    element('path', { class: `median v${index}`, d: `M${at.toFixed(1)} ${bottom}l-5 8h10z` }),
    element(
      'text',
      { class: 'label', x: at, y: top + 10 + index * 15, 'text-anchor': 'middle' },
      text(`${version}: ${millisecondsText(p50)}`),
    ),
  ];
}
