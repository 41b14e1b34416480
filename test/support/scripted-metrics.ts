/**
 * A MetricSource whose samples a test sets. It answers raw samples of any selector, and of expressions those that
 * measuring asks by itself: a selector, `max(timestamp(…))`, which targets are down. What else a test asks, it gives
 * the answer of. test/contract/metric-source.ts holds it to what a real Prometheus does.
 */
import type { Instant } from '../../src/model/instant.ts';
import { instant } from '../../src/model/instant.ts';
import type { PrometheusSpec } from '../../src/model/spec.ts';
import type {
  InstantQuery,
  MetricSource,
  QueryAnswer,
  SamplesAnswer,
  SamplesQuery,
  Series,
  VectorElement,
} from '../../src/ports/metric-source.ts';

type Labels = Readonly<Record<string, string>>;

/** Prometheus looks back so far for the newest sample of an instant query. */
const LOOKBACK = 300_000;

export class ScriptedMetrics implements MetricSource {
  /** Every query and selector that was asked, oldest first. */
  readonly asked: string[] = [];
  /** Set: nothing is answered, and this is why. */
  problem: string | undefined;
  readonly #series = new Map<
    string,
    { readonly labels: Labels; readonly samples: Series['samples'][number][] }
  >();
  readonly #answers = new Map<string, readonly (readonly [Labels, number])[] | string>();

  /** Adds a sample to a series, named as it is exposed: `requests_total{version="v1",instance="a:1"}`. */
  add(series: string, at: number, value: number): void {
    const { name, matchers } = parseSelector(series);
    const labels: Labels = {
      __name__: name,
      ...Object.fromEntries(matchers.map(({ label, value: text }) => [label, text])),
    };
    const found = this.#series.get(series) ?? { labels, samples: [] };
    this.#series.set(series, found);
    found.samples.push({ at: instant(at), value });
  }

  /** Adds samples of a series, `every` milliseconds from `from` on. */
  addAll(series: string, from: number, every: number, values: readonly number[]): void {
    for (const [index, value] of values.entries()) this.add(series, from + index * every, value);
  }

  /** What an expression answers from now on: elements, or an error. */
  answer(query: string, elements: readonly (readonly [Labels, number])[] | string): void {
    this.#answers.set(query, elements);
  }

  async query({ query, at, signal }: InstantQuery): Promise<QueryAnswer> {
    this.asked.push(query);
    const refused = this.#refusal(signal);
    if (refused !== undefined) return refused;
    const scripted = this.#answers.get(query);
    if (typeof scripted === 'string') return { kind: 'error', reason: scripted };
    if (scripted !== undefined)
      return { kind: 'vector', elements: scripted.map(([labels, value]) => ({ labels, at, value })) };
    return this.#evaluate(query, at);
  }

  async samples({ selector, from, to, signal }: SamplesQuery): Promise<SamplesAnswer> {
    this.asked.push(selector);
    const refused = this.#refusal(signal);
    if (refused !== undefined) return refused;
    const series = this.#matching(selector)
      .map(({ labels, samples }) => ({ labels, samples: samples.filter(({ at }) => at > from && at <= to) }))
      .filter(({ samples }) => samples.length > 0);
    return { kind: 'series', series };
  }

  async version(_server: PrometheusSpec, signal: AbortSignal): Promise<string> {
    const refused = this.#refusal(signal);
    if (refused !== undefined) throw new Error(refused.reason);
    return '2.42.0';
  }

  #refusal(signal: AbortSignal): Extract<QueryAnswer, { readonly kind: 'error' }> | undefined {
    if (signal.aborted) return { kind: 'error', reason: 'aborted' };
    return this.problem === undefined ? undefined : { kind: 'error', reason: this.problem };
  }

  #evaluate(query: string, at: Instant): QueryAnswer {
    if (/^\d+$/.test(query)) return { kind: 'vector', elements: [{ labels: {}, at, value: Number(query) }] };
    const timestamp = /^max\(timestamp\((.*)\)\)$/s.exec(query)?.[1];
    if (timestamp !== undefined) {
      const newest = Math.max(...this.#newest(timestamp, at).map((element) => element.at));
      return { kind: 'vector', elements: newest > 0 ? [{ labels: {}, at, value: newest / 1000 }] : [] };
    }
    const down = /^up == 0 and on \(job, instance\) last_over_time\((.*)\[(\d+)s\]\)$/s.exec(query);
    if (down !== null)
      return { kind: 'vector', elements: this.#down(down[1] ?? '', Number(down[2]) * 1000, at) };
    if (!/^\s*[a-zA-Z_:][\w:]*\s*(\{[^{}]*\})?\s*$/.test(query))
      return { kind: 'error', reason: `bad_data: no answer is scripted for ${query}` };
    return { kind: 'vector', elements: this.#newest(query, at).map((element) => ({ ...element, at })) };
  }

  #down(selector: string, within: number, at: Instant): readonly VectorElement[] {
    const had = new Set(
      this.#matching(selector)
        .filter(({ samples }) => samples.some((sample) => sample.at > at - within && sample.at <= at))
        .map(({ labels }) => `${labels['job']} ${labels['instance']}`),
    );
    return this.#newest('up', at).filter(
      ({ labels, value }) => value === 0 && had.has(`${labels['job']} ${labels['instance']}`),
    );
  }

  /** The newest sample of each series, with its own time. */
  #newest(selector: string, at: Instant): readonly VectorElement[] {
    return this.#matching(selector).flatMap(({ labels, samples }) => {
      const newest = samples.findLast((sample) => sample.at <= at && sample.at > at - LOOKBACK);
      return newest === undefined ? [] : [{ labels, ...newest }];
    });
  }

  #matching(selector: string): readonly Series[] {
    const { name, matchers } = parseSelector(selector);
    return [...this.#series.values()].filter(
      ({ labels }) =>
        labels['__name__'] === name &&
        matchers.every(({ label, operator, value }) => matches(labels[label] ?? '', operator, value)),
    );
  }
}

interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

function parseSelector(selector: string): { readonly name: string; readonly matchers: readonly Matcher[] } {
  const name = /^\s*([\w:]*)/.exec(selector)?.[1] ?? '';
  const matchers = [...selector.matchAll(/([\w]+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(
    ([, label = '', operator = '', value = '']) => ({
      label,
      operator,
      value: value.replaceAll(/\\(.)/g, '$1'),
    }),
  );
  return { name, matchers };
}

function matches(text: string, operator: string, value: string): boolean {
  const isMatch = operator.endsWith('~') ? new RegExp(`^(?:${value})$`).test(text) : text === value;
  return operator.startsWith('!') ? !isMatch : isMatch;
}
