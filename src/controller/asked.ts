/**
 * What one measurement asks of Prometheus: it remembers what was sent, so that a verdict can be traced to its queries,
 * and turns what cannot be known into the outcome that says so.
 */
import type { Instant } from '../model/instant.ts';
import type { MeasuredOutcome } from '../model/measurement.ts';
import type { PrometheusSpec } from '../model/spec.ts';
import { lookBehind, type MetricSource, type Series, type VectorElement } from '../ports/metric-source.ts';
import type { CounterWindow } from '../verification/counters.ts';
import { promqlDuration } from '../verification/templates.ts';

/** Ends a measurement with what is thrown: there is no data, or it could not be had. */
export class Unmeasured extends Error {
  override readonly name = 'Unmeasured';
  readonly outcome: Exclude<MeasuredOutcome, { readonly kind: 'Data' }>;
  constructor(outcome: Exclude<MeasuredOutcome, { readonly kind: 'Data' }>) {
    super(outcome.reason);
    this.outcome = outcome;
  }
}

/** Ends the measurement: it was made, and there was nothing to judge. */
export function noData(reason: string): Unmeasured {
  return new Unmeasured({ kind: 'NoData', reason });
}

/** Ends the measurement: it could not be made. */
export function notMeasured(reason: string): Unmeasured {
  return new Unmeasured({ kind: 'Error', reason });
}

/**
 * For how long Prometheus' failure to scrape a target that had the wanted series holds a measurement. As long as a
 * proxy that went away counts as one that may come back.
 */
const MISSED_FOR = 600_000;

/** One measurement's questions. Every method throws Unmeasured where there is no answer. */
export class Asked {
  readonly #queries: string[];
  readonly window: CounterWindow;
  readonly #server: PrometheusSpec;
  readonly #metricSource: MetricSource;
  readonly #signal: AbortSignal;

  constructor(asking: {
    readonly server: PrometheusSpec;
    readonly metricSource: MetricSource;
    readonly window: { readonly from: Instant; readonly to: Instant };
    readonly signal: AbortSignal;
    /** Gets the texts that were sent, in their order. */
    readonly queries: string[];
  }) {
    const { server, metricSource, window, signal, queries } = asking;
    this.#queries = queries;
    this.#server = server;
    this.#metricSource = metricSource;
    this.#signal = signal;
    this.window = { ...window, scrapeInterval: server.scrapeInterval };
  }

  /** What an expression answers at the window's end. */
  async query(query: string): Promise<readonly VectorElement[]> {
    this.#queries.push(query);
    const answer = await this.#metricSource.query({
      server: this.#server,
      query,
      at: this.window.to,
      signal: this.#signal,
    });
    if (answer.kind === 'error') throw notMeasured(answer.reason);
    return answer.elements;
  }

  /** The raw samples of the window, and of some scrapes before it. */
  async samples(selector: string): Promise<readonly Series[]> {
    const { from, to } = this.window;
    const begin = Math.max(0, from - lookBehind(this.#server)) as Instant;
    this.#queries.push(`${selector}[${promqlDuration(to - begin)}]`);
    const answer = await this.#metricSource.samples({
      server: this.#server,
      selector,
      from: begin,
      to,
      signal: this.#signal,
    });
    if (answer.kind === 'error') throw notMeasured(answer.reason);
    return answer.series;
  }

  /** Throws where a target that had this selector's series cannot be scraped: what it counts now is missing. */
  async requireTargetsUp(selector: string): Promise<void> {
    const down = await this.query(
      `up == 0 and on (job, instance) last_over_time(${selector}[${promqlDuration(MISSED_FOR)}])`,
    );
    if (down.length === 0) return;
    const names = down.map(({ labels }) => `${labels['job']} ${labels['instance']}`).toSorted();
    throw noData(
      `Prometheus cannot scrape ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}, which had ${selector} within the last ten minutes`,
    );
  }
}
