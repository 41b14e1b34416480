/**
 * All metrics of the controller in one registry. What happens is counted as it happens (xDS, store, operations,
 * convergence); what is, is read once for each scrape. Names begin with `switchyard_`, those of the process with
 * `process_` and `nodejs_`; docs/metrics.md lists them.
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Facts } from './facts.ts';
import { stateMetrics } from './state-metrics.ts';
import { type XdsMetrics, xdsMetrics } from './xds-metrics.ts';

/** What does not change while the program runs. */
export interface MetricsOptions {
  /** The release of Switchyard. */
  readonly version: string;
}

/** The text of one scrape. */
export interface Scrape {
  readonly contentType: string;
  readonly body: string;
}

export class Metrics {
  /** Where other parts register theirs: `measuredStore`, `measuredOperations`, `followConvergence`. */
  readonly registry = new Registry();
  /** To be given to the xDS server as its observer. */
  readonly xds: XdsMetrics;
  readonly #fillState: (facts: Facts) => void;
  readonly #ready: Gauge;
  #readFacts: (() => Facts) | undefined;

  constructor({ version }: MetricsOptions) {
    const registers = [this.registry];
    new Gauge({
      name: 'switchyard_build_info',
      help: 'Always 1; the labels are the releases of Switchyard and Node.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version, node: process.versions.node }, 1);
    this.#ready = new Gauge({
      name: 'switchyard_ready',
      help: '1 while proxies are served: the state is loaded, and something was ever applied.',
      registers,
    });
    this.xds = xdsMetrics(this.registry);
    this.#fillState = stateMetrics(this.registry);
    collectDefaultMetrics({ register: this.registry });
  }

  /** From now on scrapes show the controller's state. Before, only counters and `switchyard_ready 0`. */
  follow(readFacts: () => Facts): void {
    this.#readFacts = readFacts;
  }

  async scrape(): Promise<Scrape> {
    const facts = this.#readFacts?.();
    this.#ready.set(facts?.ready === true ? 1 : 0);
    if (facts !== undefined) this.#fillState(facts);
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }
}
