/**
 * The WorkSource port over PromQL: the open work of a version is what an expression answers for each of its instances.
 * Nobody can be told to take no new work this way, so there is nothing to confirm; instead a zero counts only where
 * every instance has shown it twice in samples newer than the fence (rule 8). Whatever is missing makes it unknown.
 */
import { type Instant, instant } from '../../model/instant.ts';
import type { DrainSource, PrometheusSpec } from '../../model/spec.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetricSource, Series, VectorElement } from '../../ports/metric-source.ts';
import type { WorkCount, WorkRequest, WorkSource } from '../../ports/work-source.ts';
import { selectorsOf } from '../../verification/selectors.ts';
import { describeTemplateProblem, render } from '../../verification/templates.ts';
import { inOneLine } from '../instance-round.ts';

type PromqlSource = Extract<DrainSource, { readonly kind: 'promql' }>;

/** The scrapes that are looked back for the newest samples of an instance. */
const SCRAPES_READ = 6;
/** A newest sample that is older is not new. */
const SCRAPES_MISSED = 2;

/** Counts by `metricSource`, as of `clock`. */
export function createPromqlWorkSource(parts: {
  readonly metricSource: MetricSource;
  readonly clock: Clock;
}): WorkSource {
  return {
    fence: async () => ({ kind: 'confirmed' }),
    lift: async () => ({ kind: 'confirmed' }),
    async count(request) {
      const { source } = request;
      if (source.kind !== 'promql')
        return unknown(`a source of kind ${source.kind} is not counted by PromQL`);
      if (request.instances.length === 0)
        return unknown('no instance of the version is known, so nobody knows whose samples to expect');
      try {
        return await new Round({ ...parts, request, source }).count();
      } catch (error) {
        return unknown(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

function unknown(reason: string): WorkCount {
  return { kind: 'unknown', reason };
}

/** One count. Its methods throw where what they need is not known. */
class Round {
  readonly #metricSource: MetricSource;
  readonly #request: WorkRequest;
  readonly #source: PromqlSource;
  readonly #now: Instant;
  readonly #query: string;
  readonly #selectors: readonly string[];

  constructor(from: {
    readonly metricSource: MetricSource;
    readonly clock: Clock;
    readonly request: WorkRequest;
    readonly source: PromqlSource;
  }) {
    this.#metricSource = from.metricSource;
    this.#request = from.request;
    this.#source = from.source;
    this.#now = from.clock.now();
    const { service, version } = from.request;
    const rendered = render({ template: from.source.query, values: { service, version }, args: {} });
    if (rendered.kind === 'problem') throw new Error(describeTemplateProblem(rendered.problem));
    this.#query = rendered.text;
    this.#selectors = selectorsOf(rendered.text);
    if (this.#selectors.length === 0) throw new Error('the query reads no series, so it counts no work');
  }

  async count(): Promise<WorkCount> {
    const [now, series] = await Promise.all([this.#shares(this.#query), this.#samples()]);
    const asOf = this.#newestOf(series);
    const total = [...now.values()].reduce((sum, share) => sum + share, 0);
    if (total === 0 && this.#request.fencedSince !== undefined)
      await this.#requireQuiet(this.#request.fencedSince, series);
    return { kind: 'counted', asOf, total, open: [], certificate: 'observed' };
  }

  /** What an expression answers by instance; every expected instance has an answer. */
  async #shares(query: string): Promise<ReadonlyMap<string, number>> {
    const answer = await this.#metricSource.query({ ...this.#asking(), query, at: this.#now });
    if (answer.kind === 'error') throw new Error(answer.reason);
    const shares = new Map<string, number>();
    for (const element of answer.elements) {
      const instance = this.#instanceOf(element);
      shares.set(instance, (shares.get(instance) ?? 0) + openWorkOf(element));
    }
    this.#requireAll(new Set(shares.keys()), 'has no answer for');
    return shares;
  }

  /** The raw samples of all selectors, those of expected instances. */
  async #samples(): Promise<readonly Series[]> {
    const { scrapeInterval } = this.#server();
    const from = instant(Math.max(0, this.#now - SCRAPES_READ * scrapeInterval));
    const answers = await Promise.all(
      this.#selectors.map((selector) =>
        this.#metricSource.samples({ ...this.#asking(), selector, from, to: this.#now }),
      ),
    );
    const expected = new Set(this.#expected());
    const series = answers.flatMap((answer) => {
      if (answer.kind === 'error') throw new Error(answer.reason);
      return answer.series.filter(({ labels }) => expected.has(labels[this.#source.instanceLabel] ?? ''));
    });
    this.#requireAll(
      new Set(series.map(({ labels }) => labels[this.#source.instanceLabel] ?? '')),
      'reads no new samples of',
    );
    return series;
  }

  /** The oldest of the newest samples; each must be new. */
  #newestOf(series: readonly Series[]): Instant {
    const { scrapeInterval } = this.#server();
    const newest = series.map(({ samples }) => samples.at(-1)?.at ?? instant(0));
    const oldest = instant(Math.min(...newest));
    if (oldest <= this.#now - SCRAPES_MISSED * scrapeInterval)
      throw new Error(`a series that the query reads has no sample for ${(this.#now - oldest) / 1000} s`);
    return oldest;
  }

  /** A zero counts behind the fence: seen twice by each instance since then, and for as long as the spec wants. */
  async #requireQuiet(fencedSince: Instant, series: readonly Series[]): Promise<void> {
    const { quietFor } = this.#source;
    const { scrapeInterval } = this.#server();
    const once = series.find(({ samples }) => samples.filter(({ at }) => at > fencedSince).length < 2);
    if (once !== undefined)
      throw new Error(
        `${once.labels[this.#source.instanceLabel]} has not been scraped twice since the version was fenced`,
      );
    const rest = quietFor - (this.#now - fencedSince);
    if (rest > 0) throw new Error(`it is zero, and must stay so for another ${rest / 1000} s`);
    const span = Math.max(quietFor, SCRAPES_MISSED * scrapeInterval);
    const most = await this.#shares(`max_over_time((${this.#query})[${span}ms:${scrapeInterval}ms])`);
    const busy = [...most]
      .filter(([, share]) => share > 0)
      .map(([instance, share]) => `${share} on ${instance}`);
    if (busy.length > 0)
      throw new Error(`it is zero, and was not within the last ${span / 1000} s: ${inOneLine(busy)}`);
  }

  #requireAll(found: ReadonlySet<string>, verb: string): void {
    const missing = this.#expected().filter((address) => !found.has(address));
    if (missing.length > 0)
      throw new Error(
        `the query ${verb} ${inOneLine(missing)} (label ${this.#source.instanceLabel}); without it nothing is known of that instance`,
      );
  }

  #instanceOf({ labels }: VectorElement): string {
    const { instanceLabel } = this.#source;
    const value = labels[instanceLabel];
    if (value === undefined)
      throw new Error(
        `the query answers a series without the label ${instanceLabel}; add: by (${instanceLabel})`,
      );
    return value;
  }

  #expected(): readonly string[] {
    return this.#request.instances.map(({ address: { host, port } }) =>
      host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`,
    );
  }

  #server(): PrometheusSpec {
    return this.#source.prometheus;
  }

  #asking(): { readonly server: PrometheusSpec; readonly signal: AbortSignal } {
    return { server: this.#server(), signal: this.#request.signal };
  }
}

function openWorkOf({ value }: VectorElement): number {
  if (!Number.isFinite(value) || value < 0)
    throw new Error(`the query answers ${value}, which counts no open work`);
  return value;
}
