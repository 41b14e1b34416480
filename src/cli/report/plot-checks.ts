/** The measurements of each check against its limits, one small plot for each check. Pure. */
import type { Measurement } from '../../model/measurement.ts';
import type { RolloutReport } from '../../model/report.ts';
import { numberText } from '../views/numbers.ts';
import { element, type Markup, text } from './markup.ts';
import { type Axis, areaOf, axes, figure, linear, path, roundTicks, timeAxis } from './plot.ts';
import { clockText, STATE_SIGNS } from './words.ts';

const SIZE = { width: 352, height: 170 };

/** Plots of the checks that have numbers, in the order of their first measurement. */
export function checkPlots(report: RolloutReport): readonly Markup[] {
  const byCheck = Map.groupBy(report.measurements, ({ check }) => check);
  return [...byCheck].flatMap(([check, measurements]) => {
    const plot = checkPlot(report, check, measurements);
    return plot === undefined ? [] : [plot];
  });
}

function checkPlot(
  report: RolloutReport,
  check: string,
  measurements: readonly Measurement[],
): Markup | undefined {
  const values = measurements.flatMap(({ judgement }) =>
    [judgement.value, judgement.baseline].filter((value) => value !== undefined),
  );
  if (values.length === 0) return undefined;
  const limits = limitsOf(report, check);
  const area = areaOf(SIZE);
  const [low, high] = rangeOf([...values, ...limits.map(({ at }) => at)]);
  const x = timeAxis(report.window, SIZE, 3);
  const y: Axis = {
    scale: linear([low, high], [area.bottom, area.top]),
    ticks: roundTicks(low, high, 3).map((at) => ({ at, label: numberText(at) })),
  };
  const points = (of: (measurement: Measurement) => number | undefined) =>
    measurements.map((measurement) => {
      const value = of(measurement);
      return value === undefined ? undefined : ([x.scale(measurement.at), y.scale(value)] as const);
    });
  const last = measurements.at(-1)?.judgement;
  return figure({
    title: check,
    description: `${check}: ${measurements.length} measurements, the last one ${last?.state}: ${last?.because}`,
    size: SIZE,
    marks: [
      ...axes(x, y, SIZE, last?.limit ?? ''),
      ...limits.flatMap(({ at, name }) => [
        element('line', { class: 'limit', x1: area.left, x2: area.right, y1: y.scale(at), y2: y.scale(at) }),
        element(
          'text',
          { class: 'label', x: area.right + 4, y: y.scale(at) + 4 },
          text(`${name} ${numberText(at)}`),
        ),
      ]),
      ...path(
        points(({ judgement }) => judgement.baseline),
        0,
      ),
      ...path(
        points(({ judgement }) => judgement.value),
        1,
      ),
      ...measurements.map((measurement) => stateMark(measurement, x, y)),
    ],
  });
}

/** The sign of the state at the value, or on the axis where there is none; its sentence comes up over it. */
function stateMark({ at, step, judgement }: Measurement, x: Axis, y: Axis): Markup {
  const height = judgement.value === undefined ? areaOf(SIZE).bottom - 3 : y.scale(judgement.value) + 4;
  return element(
    'text',
    { class: `state ${judgement.state}`, x: x.scale(at), y: height, 'text-anchor': 'middle' },
    text(STATE_SIGNS[judgement.state]),
    element('title', {}, text(`${clockText(at)} ${step} ${judgement.state}: ${judgement.because}`)),
  );
}

function limitsOf(
  { rollout }: RolloutReport,
  check: string,
): readonly { readonly at: number; readonly name: string }[] {
  const limit = rollout.policy.verification?.checks.find(({ name }) => name === check)?.condition.limit;
  return [
    ...(limit?.min === undefined ? [] : [{ at: limit.min, name: 'min' }]),
    ...(limit?.max === undefined ? [] : [{ at: limit.max, name: 'max' }]),
  ];
}

/** All values with a little room; never empty. */
function rangeOf(values: readonly number[]): readonly [low: number, high: number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low) * 0.1 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}
