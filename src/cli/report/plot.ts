/** What all plots of a report share: a frame with two axes, scales, ticks, and the look of each version. Pure. */
import { element, type Markup, text } from './markup.ts';
import { clockText } from './words.ts';

/** From values to coordinates. */
export type Scale = (value: number) => number;

export interface Axis {
  readonly scale: Scale;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Room around the plotted area: for labels of the axes, and for the names of lines at the right. */
const ROOM = { left: 52, right: 64, top: 14, bottom: 26 };

/** The plotted area. */
export function areaOf({ width, height }: Size) {
  return { left: ROOM.left, right: width - ROOM.right, top: ROOM.top, bottom: height - ROOM.bottom };
}

export function linear(from: readonly [number, number], to: readonly [number, number]): Scale {
  const length = from[1] - from[0] || 1;
  return (value) => to[0] + ((value - from[0]) / length) * (to[1] - to[0]);
}

export function logarithmic(from: readonly [number, number], to: readonly [number, number]): Scale {
  const scale = linear([Math.log(from[0]), Math.log(from[1])], to);
  return (value) => scale(Math.log(Math.max(value, from[0])));
}

/** About `wanted` round numbers from `low` to `high`. */
export function roundTicks(low: number, high: number, wanted: number): number[] {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let index = Math.ceil(low / step); index * step <= high + step * 1e-9; index += 1) {
    ticks.push(Number((index * step).toPrecision(12)));
  }
  return ticks;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** The time axis: round times of day in UTC, at most `most` of them. */
export function timeAxis(window: { from: number; to: number }, size: Size, most = 6): Axis {
  const area = areaOf(size);
  const step =
    1000 * (TIME_STEPS.find((each) => (window.to - window.from) / (each * 1000) <= most) ?? 86_400);
  const ticks: { at: number; label: string }[] = [];
  for (let at = Math.ceil(window.from / step) * step; at <= window.to; at += step) {
    ticks.push({ at, label: clockText(at).slice(0, step % 60_000 === 0 ? 5 : 8) });
  }
  return { scale: linear([window.from, window.to], [area.left, area.right]), ticks };
}

/** A figure with a title above and a sentence that says what it shows, for those who cannot see it. */
export function figure(parts: {
  title: string;
  description: string;
  size: Size;
  legend?: readonly Markup[];
  marks: readonly Markup[];
}): Markup {
  const { title, description, size, legend = [], marks } = parts;
  return element(
    'figure',
    {},
    element('figcaption', {}, element('strong', {}, text(title)), text(' '), ...legend),
    element(
      'svg',
      {
        // On a narrow screen it is scrolled, so that its labels can be read.
        class: size.width > 600 ? 'wide' : undefined,
        viewBox: `0 0 ${size.width} ${size.height}`,
        role: 'img',
        'aria-label': description,
        xmlns: 'http://www.w3.org/2000/svg',
      },
      element('title', {}, text(description)),
      ...marks,
    ),
  );
}

/** Grid, ticks and labels. */
export function axes(x: Axis, y: Axis, size: Size, unit: string): readonly Markup[] {
  const area = areaOf(size);
  return [
    ...y.ticks.flatMap(({ at, label }) => [
      element('line', { class: 'grid', x1: area.left, x2: area.right, y1: y.scale(at), y2: y.scale(at) }),
      element(
        'text',
        { class: 'tick', x: area.left - 6, y: y.scale(at) + 4, 'text-anchor': 'end' },
        text(label),
      ),
    ]),
    ...x.ticks.map(({ at, label }) =>
      element(
        'text',
        { class: 'tick', x: x.scale(at), y: area.bottom + 17, 'text-anchor': 'middle' },
        text(label),
      ),
    ),
    element('line', { class: 'axis', x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }),
    element('text', { class: 'tick', x: 2, y: area.top - 4, 'text-anchor': 'start' }, text(unit)),
  ];
}

/** How a version is drawn: colour, and a pattern of dashes for those who see none. */
export function lineClass(index: number): string {
  return `line v${Math.min(index, 3)}`;
}

/** The sample of a line with its name. */
export function legendOf(names: readonly string[]): readonly Markup[] {
  return names.flatMap((name, index) => [
    element(
      'svg',
      {
        class: 'sample',
        viewBox: '0 0 30 10',
        width: 30,
        height: 10,
        'aria-hidden': 'true',
        xmlns: 'http://www.w3.org/2000/svg',
      },
      element('line', { class: lineClass(index), x1: 0, x2: 30, y1: 5, y2: 5 }),
    ),
    element('span', { class: 'name' }, text(`${name} `)),
  ]);
}

/** Lines through points; a point without a value breaks the line, and one alone is a dot. */
export function path(
  points: readonly (readonly [x: number, y: number] | undefined)[],
  index: number,
): readonly Markup[] {
  const parts: (readonly [number, number])[][] = [[]];
  for (const point of points) {
    if (point === undefined) parts.push([]);
    else parts.at(-1)?.push(point);
  }
  return parts.flatMap((part): Markup[] => {
    const [only] = part;
    if (only === undefined) return [];
    if (part.length === 1)
      return [element('circle', { class: `dot v${Math.min(index, 3)}`, cx: only[0], cy: only[1], r: 2.5 })];
    const d = part.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
    return [element('path', { class: lineClass(index), d })];
  });
}

/** The name of a line, beside its last point. */
export function nameAt(
  name: string,
  point: readonly [x: number, y: number] | undefined,
  size: Size,
): readonly Markup[] {
  if (point === undefined) return [];
  return [element('text', { class: 'label', x: areaOf(size).right + 6, y: point[1] + 4 }, text(name))];
}
