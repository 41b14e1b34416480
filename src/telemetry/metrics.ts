/**
 * All metrics of the controller in one registry. What happens is counted as it happens (xDS, store, operations,
 * convergence); what is, is read once for each scrape. Names begin with `switchyard_`, those of the process with
 * `process_` and `nodejs_`; docs/metrics.md lists them.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { MAX_HOLDS, MAX_LIVE_VERSIONS, MAX_PROXIES, MAX_SERVICES } from '../model/limits.ts';
import { accessLogMetrics } from './access-log-metrics.ts';
import { delegateMetrics } from './delegate-metrics.ts';
import type { Facts, Filler } from './facts.ts';
import { type LoopMetrics, loopMetrics } from './loop-metrics.ts';
import { type MeasurementMetrics, measurementMetrics } from './measurement-metrics.ts';
import { type RolloutCounters, rolloutCounters } from './rollout-counters.ts';
import { rolloutMetrics } from './rollout-metrics.ts';
import { stateMetrics } from './state-metrics.ts';
import { type WatcherEvents, watcherMetrics } from './watcher-metrics.ts';
import { type WebhookMetrics, webhookMetrics } from './webhook-metrics.ts';
import { type XdsMetrics, xdsMetrics } from './xds-metrics.ts';

/** About a millisecond's worth. */
const SERVICES_IN_A_TURN = 10;

const LIMITS = {
  services: MAX_SERVICES,
  versions: MAX_LIVE_VERSIONS,
  holds: MAX_HOLDS,
  proxies: MAX_PROXIES,
};

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
  /** Its `observeRounds` is to be given to the controller. */
  readonly loop: LoopMetrics;
  /** To be told to follow the controller's ledger. */
  readonly rollouts: RolloutCounters;
  /** To be told of stored measurements; `measuredStore` does. */
  readonly measurements: MeasurementMetrics;
  /** To be told of deliveries by the notifier. */
  readonly webhooks: WebhookMetrics;
  /** To be told of watchers by the watcher server. */
  readonly watchers: WatcherEvents;
  readonly #fillers: readonly Filler[];
  #last: Promise<unknown> = Promise.resolve();
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
    const limit = new Gauge({
      name: 'switchyard_limit',
      help: 'The most that there may be: services of a controller, live versions and holds of a service, proxies of a process.',
      labelNames: ['of'],
      registers,
    });
    for (const [of, most] of Object.entries(LIMITS)) limit.set({ of }, most);
    this.#ready = new Gauge({
      name: 'switchyard_ready',
      help: '1 while proxies are served: the state is loaded, and something was ever applied.',
      registers,
    });
    this.xds = xdsMetrics(this.registry);
    this.loop = loopMetrics(this.registry);
    this.rollouts = rolloutCounters(this.registry);
    this.measurements = measurementMetrics(this.registry);
    this.webhooks = webhookMetrics(this.registry);
    this.watchers = watcherMetrics(this.registry);
    this.#fillers = [
      stateMetrics(this.registry),
      rolloutMetrics(this.registry),
      delegateMetrics(this.registry),
      accessLogMetrics(this.registry),
    ];
    collectDefaultMetrics({ register: this.registry });
  }

  /** From now on scrapes show the controller's state. Before, only counters and `switchyard_ready 0`. */
  follow(readFacts: () => Facts): void {
    this.#readFacts = readFacts;
  }

  /** One at a time: each fills the gauges anew. Rejects where the facts cannot be read. */
  scrape(): Promise<Scrape> {
    const scrape = this.#last.then(() => this.#scrapeAlone());
    this.#last = scrape.catch(() => undefined);
    return scrape;
  }

  async #scrapeAlone(): Promise<Scrape> {
    const facts = this.#readFacts?.();
    this.#ready.set(facts?.ready === true ? 1 : 0);
    if (facts !== undefined) await this.#show(facts);
    return { contentType: this.registry.contentType, body: await this.#render() };
  }

  /** In parts, with turns for others between: pushes to proxies must not wait for a whole scrape. */
  async #show(facts: Facts): Promise<void> {
    const services = new Set(facts.services.map(({ record }) => record.name));
    for (const series of [this.loop, this.rollouts, this.measurements]) series.keep(services);
    for (const filler of this.#fillers) filler.begin(facts);
    for (const [index, service] of facts.services.entries()) {
      for (const filler of this.#fillers) filler.service(service);
      if (index % SERVICES_IN_A_TURN === SERVICES_IN_A_TURN - 1) await nextTurn();
    }
  }

  async #render(): Promise<string> {
    const texts: string[] = [];
    for (const { name } of this.registry.getMetricsAsArray()) {
      texts.push(await this.registry.getSingleMetricAsString(name));
      await nextTurn();
    }
    return `${texts.join('\n\n')}\n`;
  }
}
