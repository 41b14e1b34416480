/**
 * Constant traffic through all Envoys of an installation, default traffic and pinned, with streams that stay open. One history
 * says for all of them what the routes may be: rollouts walk by themselves, and a stage counts as over when every Envoy has
 * left it.
 */
import { eventually } from '../../eventually.ts';
import { followWalk, type Walk, type Walked } from '../../system/walk.ts';
import { History, type Stage } from '../../traffic/history.ts';
import { type Evidence, judge, type Verdict } from '../../traffic/judge.ts';
import { Probe } from '../../traffic/probe.ts';
import { STREAM_FACES } from '../../traffic/samples.ts';
import { Traffic, type TrafficProgress } from '../../traffic/traffic.ts';
import type { Entrance, Installation } from './installation.ts';
import { SERVICE, STEPS } from './manager-object.ts';

export interface WatchedTrafficOptions {
  readonly entrances: readonly Entrance[];
  /** Through each Envoy. */
  readonly requestsPerSecond: number;
  /** What the routes are when it begins. */
  readonly first: Stage;
  /** Pins that requests carry; whether they are refused is for the history to say. */
  readonly pins: readonly string[];
  /** Versions that streams are pinned to, beside streams of default traffic; absent: no streams at all. */
  readonly streamPins?: readonly string[];
}

export type Judged = Verdict & { readonly evidence: Pick<Evidence, 'exchanges' | 'streams'> };

/** What is said of rollouts while they go on. */
export interface Screen {
  say(text: string): void;
}

const SILENT: Screen = { say: () => undefined };
const SERVED_WITHIN_MS = 60_000;

export class WatchedTraffic {
  readonly history: History;
  readonly #entrances: readonly Entrance[];
  readonly #traffics: readonly Traffic[];
  readonly #probes: readonly Probe[];

  private constructor({ entrances, requestsPerSecond, first, pins }: WatchedTrafficOptions) {
    this.history = new History(first);
    this.#entrances = entrances;
    this.#probes = entrances.map(({ address }) => new Probe(address, '/healthz'));
    this.#traffics = entrances.map(
      ({ name, address }) =>
        new Traffic({
          entrance: name,
          address,
          requestsPerSecond,
          mix: { tenants: 50, pins, unknownPins: ['v0'], slowMs: 300 },
          habits: { tickMs: 500, silenceMs: 40_000, finishMs: 500 },
        }),
    );
  }

  /** Begins; resolves when every Envoy serves the primary and all streams are open. */
  static async start(options: WatchedTrafficOptions): Promise<WatchedTraffic> {
    const watched = new WatchedTraffic(options);
    await watched.servedBy(options.first.to);
    const { streamPins } = options;
    for (const traffic of watched.#traffics) {
      for (const face of streamPins === undefined ? [] : STREAM_FACES) {
        traffic.openStream({ face });
        for (const pin of streamPins ?? []) traffic.openStream({ face, pin });
      }
      traffic.start();
    }
    const isOpen = () =>
      watched.#traffics.every((traffic) => traffic.streams().every(({ version }) => version !== undefined));
    await eventually(isOpen, { what: 'the first message of every stream', within: SERVED_WITHIN_MS });
    return watched;
  }

  /** Resolves when a version serves default traffic through every Envoy. */
  async servedBy(version: string): Promise<void> {
    const signal = AbortSignal.timeout(SERVED_WITHIN_MS);
    await Promise.all(this.#probes.map((probe) => probe.untilServedBy(version, signal)));
  }

  /** Resolves with a time when all that the Envoys have heard before is in force. */
  async afterOneAnswer(): Promise<number> {
    return Math.max(...(await Promise.all(this.#probes.map((probe) => probe.afterOneAnswer()))));
  }

  /** Begins a rollout, and looks on until it has ended by itself. */
  follow(installation: Installation, walk: Walk, screen: Screen = SILENT): Promise<Walked> {
    const { replicas } = installation;
    return followWalk(
      {
        service: SERVICE,
        steps: STEPS,
        screen,
        history: this.history,
        probe: this,
        world: {
          call: (method, request) => replicas.call(method, request),
          inSync: () => installation.inSync(),
        },
      },
      walk,
    );
  }

  /** Gives an order that moves all default traffic, and waits until every Envoy serves it so. */
  async move(stage: Stage, give: () => Promise<void>): Promise<void> {
    const pending = this.history.begin({ stage, at: performance.now() });
    await give();
    await this.servedBy(stage.to);
    pending.converged(await this.afterOneAnswer());
  }

  /** Resolves when so many more requests have been answered through each Envoy, so that what was done has met traffic. */
  async goOn(requests = 30): Promise<void> {
    const due = this.#traffics.map((traffic) => traffic.progress().requests + requests);
    await eventually(
      () => this.#traffics.every((traffic, index) => traffic.progress().requests >= (due[index] ?? 0)),
      { what: `${requests} more requests`, within: SERVED_WITHIN_MS },
    );
  }

  progress(): readonly TrafficProgress[] {
    return this.#traffics.map((traffic) => traffic.progress());
  }

  /** Ends the traffic from the clients' side, and judges it. */
  async stop(): Promise<Judged> {
    const stopped = await Promise.all(this.#traffics.map((traffic) => traffic.stop()));
    for (const probe of this.#probes) probe.close();
    const evidence = {
      exchanges: stopped.flatMap(({ exchanges }) => exchanges),
      streams: stopped.flatMap(({ streams }) => streams),
    };
    const histories = new Map(this.#entrances.map(({ name }) => [name, this.history]));
    return { ...judge({ ...evidence, histories }), evidence };
  }
}
