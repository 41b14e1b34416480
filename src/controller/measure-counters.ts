/** One side of a check that counts: a question of selectors is asked as raw samples, and what they grew by leaves. */
import type { Bucket, Proportion } from '../model/measurement.ts';
import { type Series } from '../ports/metric-source.ts';
import type { CounterQuestion } from '../verification/builtin.ts';
import {
  type Increment,
  increments,
  ratePerSecond,
  type ScrapeTarget,
  sumOf,
  targetKey,
  targetOf,
  targetsOfBirths,
} from '../verification/counters.ts';
import { bucketsOf } from '../verification/histograms.ts';
import { promqlLiteral, promqlString } from '../verification/templates.ts';
import { type Asked, noData, notMeasured } from './asked.ts';

/** What one side was measured to be. */
export type Side =
  | { readonly kind: 'ratio'; readonly proportion: Proportion }
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'histogram'; readonly buckets: readonly Bucket[] };

/**
 * Answers a question over the window. `expected` are addresses of instances: where series are told apart by such an
 * address in the label `instance`, each must have one. Throws Unmeasured.
 */
export async function answerOf(
  asked: Asked,
  question: CounterQuestion,
  expected: readonly string[],
): Promise<Side> {
  switch (question.kind) {
    case 'ratio':
      return { kind: 'ratio', proportion: await proportionOf(asked, question, expected) };
    case 'rate': {
      const { counted } = await required(asked, question.counter, expected);
      return { kind: 'value', value: ratePerSecond(counted) };
    }
    case 'histogram': {
      const { counted } = await required(asked, question.buckets, expected);
      const answer = bucketsOf(counted);
      if (answer.kind === 'problem') throw notMeasured(`${question.buckets} ${answer.reason}`);
      return { kind: 'histogram', buckets: answer.buckets };
    }
  }
}

/**
 * The total is read first, and nothing newer than it counts: a scrape that ends between two reads would otherwise
 * be in one of them only. A scrape is stored as a whole, so what follows has all that the total has.
 */
async function proportionOf(
  asked: Asked,
  question: Extract<CounterQuestion, { readonly kind: 'ratio' }>,
  expected: readonly string[],
): Promise<Proportion> {
  const [first, ...others] = question.total;
  const { series, counted } = await required(asked, first, expected);
  const newest = newestByTarget(series);
  const growth = async (selector: string): Promise<number> => {
    const found = (await asked.samples(selector)).map((each) => upToNewest(each, newest));
    return sumOf(await grown(asked, found));
  };
  let total = sumOf(counted);
  for (const selector of others) total += await growth(selector);
  // Events that never happened have no series; the total shows that this is measured.
  const events = await growth(question.events);
  if (events > total)
    throw notMeasured(
      `${question.events} grew by ${events}, more than ${question.total.join(' + ')} with ${total}: events must be part of the total`,
    );
  return { events, total };
}

/** The growth of series that must be there. */
async function required(
  asked: Asked,
  selector: string,
  expected: readonly string[],
): Promise<{ readonly series: readonly Series[]; readonly counted: readonly Increment[] }> {
  const [series] = await Promise.all([asked.samples(selector), asked.requireTargetsUp(selector)]);
  if (series.length === 0) throw noData(`Prometheus has no series ${selector}`);
  requireInstances(selector, series, expected);
  const counted = await grown(asked, series);
  if (counted.length === 0) throw noData(`Prometheus has no samples of ${selector} within the window`);
  return { series, counted };
}

async function grown(asked: Asked, series: readonly Series[]): Promise<readonly Increment[]> {
  const births = targetsOfBirths(series, asked.window);
  const scrapes = births.length === 0 ? [] : await asked.samples(scrapesOf(births));
  const answer = increments({ series, scrapes, window: asked.window });
  if (answer.kind === 'missing') throw noData(answer.reason);
  return answer.increments;
}

/** The selector of what Prometheus says of its scrapes of these targets. */
function scrapesOf(targets: readonly ScrapeTarget[]): string {
  const oneOf = (values: readonly string[]): string =>
    promqlString([...new Set(values)].map(promqlLiteral).toSorted().join('|'));
  const jobs = oneOf(targets.map(({ job }) => job));
  return `up{job=~${jobs},instance=~${oneOf(targets.map(({ instance }) => instance))}}`;
}

function requireInstances(selector: string, series: readonly Series[], expected: readonly string[]): void {
  const shown = new Set(series.map(({ labels }) => labels['instance']));
  const missing = expected.filter((address) => !shown.has(address));
  if (missing.length === 0 || missing.length === expected.length) return;
  throw noData(
    `${selector} has no series of ${missing.slice(0, 3).join(', ')}, though it has those of other instances`,
  );
}

function newestByTarget(series: readonly Series[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const each of series) {
    const key = targetKey(targetOf(each));
    newest.set(key, Math.max(newest.get(key) ?? 0, each.samples.at(-1)?.at ?? 0));
  }
  return newest;
}

function upToNewest(series: Series, newest: ReadonlyMap<string, number>): Series {
  const last = newest.get(targetKey(targetOf(series))) ?? Number.POSITIVE_INFINITY;
  return { ...series, samples: series.samples.filter(({ at }) => at <= last) };
}
