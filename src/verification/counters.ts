/**
 * Raw samples of counters enter; how much each series grew within a window leaves, or what is missing to know it.
 * Nothing is extrapolated, as `increase()` does: a counter's value at the window's beginning is taken from its last
 * sample before it, so windows that follow each other add up. Silence is never zero (rule 10): a series that ended, a
 * target that cannot be scraped, a value that is no number make the window unknown.
 */
import type { Instant, Milliseconds } from '../model/instant.ts';

/** One series with its raw samples, oldest first. */
export interface SampledSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly { readonly at: Instant; readonly value: number }[];
}

export interface CounterWindow {
  readonly from: Instant;
  readonly to: Instant;
  readonly scrapeInterval: Milliseconds;
}

/** How much one series grew between two of its samples. */
export interface Increment {
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly from: Instant;
  readonly to: Instant;
}

export type Increments =
  | { readonly kind: 'counted'; readonly increments: readonly Increment[] }
  | { readonly kind: 'missing'; readonly reason: string };

/** What Prometheus scrapes, by its labels `job` and `instance`. */
export interface ScrapeTarget {
  readonly job: string;
  readonly instance: string;
}

/** Scrapes that may be missed before a series counts as ended. */
const MISSED_SCRAPES = 2;

/** The newest time that a sample must reach for what it says to be new at `at`. */
export function freshAfter(at: Instant, scrapeInterval: Milliseconds): number {
  return at - MISSED_SCRAPES * scrapeInterval;
}

/** The target that a series was scraped from. */
export function targetOf({ labels }: Pick<SampledSeries, 'labels'>): ScrapeTarget {
  return { job: labels['job'] ?? '', instance: labels['instance'] ?? '' };
}

/** A target as a key of a map. */
export function targetKey({ job, instance }: ScrapeTarget): string {
  return JSON.stringify([job, instance]);
}

/** The targets of the series whose first sample lies within the window: whether these were scraped before must be known. */
export function targetsOfBirths(
  series: readonly SampledSeries[],
  window: CounterWindow,
): readonly ScrapeTarget[] {
  const born = series.filter(({ samples: [first] }) => first !== undefined && first.at > window.from);
  return [...new Map(born.map((each) => [targetKey(targetOf(each)), targetOf(each)])).values()];
}

/**
 * How much each series grew. `series` holds samples from some scrapes before the window on; `scrapes` holds the samples
 * of `up` for targetsOfBirths, over the same time.
 */
export function increments(input: {
  readonly series: readonly SampledSeries[];
  readonly scrapes: readonly SampledSeries[];
  readonly window: CounterWindow;
}): Increments {
  const { window } = input;
  const scrapes = new Map(input.scrapes.map((each) => [targetKey(targetOf(each)), each]));
  const counted: Increment[] = [];
  for (const each of input.series) {
    const last = each.samples.at(-1);
    // What had ended before the window was missed by the window in which it ended.
    if (last === undefined || last.at <= freshAfter(window.from, window.scrapeInterval)) continue;
    const reason = problemOf(each, last.at, window);
    if (reason !== undefined) return { kind: 'missing', reason };
    counted.push(growth(each, window, scrapes.get(targetKey(targetOf(each)))));
  }
  const late = window.from + MISSED_SCRAPES * window.scrapeInterval;
  if (counted.length > 0 && counted.every(({ from }) => from > late))
    return { kind: 'missing', reason: 'nothing was scraped at the beginning of the window' };
  return { kind: 'counted', increments: counted };
}

/** The sum of all series. */
export function sumOf(counted: readonly Increment[]): number {
  return counted.reduce((sum, { count }) => sum + count, 0);
}

/** The sum for each second: each series over its own time. */
export function ratePerSecond(counted: readonly Increment[]): number {
  return counted.reduce(
    (sum, { count, from, to }) => (to > from ? sum + (count * 1000) / (to - from) : sum),
    0,
  );
}

function problemOf(series: SampledSeries, last: Instant, window: CounterWindow): string | undefined {
  const bad = series.samples.find(({ value }) => !Number.isFinite(value) || value < 0);
  if (bad !== undefined) return `${describeSeries(series)} has the value ${bad.value}, which counts nothing`;
  if (last <= freshAfter(window.to, window.scrapeInterval))
    return `${describeSeries(series)} has no sample for the last ${(window.to - last) / 1000} s of the window: it ended, or is not scraped`;
  if (last <= window.from) return `${describeSeries(series)} has no sample within the window`;
  return undefined;
}

function growth(series: SampledSeries, window: CounterWindow, scrapes: SampledSeries | undefined): Increment {
  const { labels, samples } = series;
  const before = samples.filter(({ at }) => at <= window.from).at(-1);
  const within = samples.filter(({ at }) => at > window.from);
  const start = before ?? birth(series, window, scrapes);
  let count = 0;
  let value = start.value;
  for (const sample of within) {
    // A counter that falls began again from zero.
    count += sample.value < value ? sample.value : sample.value - value;
    value = sample.value;
  }
  return { labels, count, from: start.at, to: within.at(-1)?.at ?? window.to };
}

/**
 * Where a series without a sample before the window begins. Its target was scraped before it appeared, or is unknown:
 * it was born, at zero, and all that it shows is new. Else the target itself is new to Prometheus, or was out of
 * reach: nobody knows when it counted what its first sample shows.
 */
function birth(
  { samples: [first] }: SampledSeries,
  window: CounterWindow,
  scrapes: SampledSeries | undefined,
): { readonly at: Instant; readonly value: number } {
  const firstAt = first?.at ?? window.to;
  const wasScraped = scrapes?.samples.some(({ at, value }) => value === 1 && at < firstAt) ?? true;
  return wasScraped ? { at: window.from, value: 0 } : { at: firstAt, value: first?.value ?? 0 };
}

/** A series in words: its name, and what tells its target. */
function describeSeries({ labels }: Pick<SampledSeries, 'labels'>): string {
  const { __name__: name = 'a series', instance } = labels;
  return instance === undefined ? name : `${name} of ${instance}`;
}
