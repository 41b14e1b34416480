/**
 * Constant traffic of one service's clients through one address, judged by a history of its own: several of these can
 * go through one Envoy at once. What every test expects of it in the end is UNHURT.
 */
import { eventually } from '../eventually.ts';
import type { Address } from '../traffic/clients/client.ts';
import { History, type Pending, type Stage } from '../traffic/history.ts';
import { type Evidence, judge, type Verdict } from '../traffic/judge.ts';
import { Probe } from '../traffic/probe.ts';
import { STREAM_FACES } from '../traffic/samples.ts';
import { Traffic } from '../traffic/traffic.ts';

/** The part of a verdict that no change may touch. */
export const UNHURT = { faults: [], failed: 0, misrouted: 0, streamsCut: 0, tenantsMovedWrongly: 0 } as const;

export interface LoadOptions {
  readonly address: Address;
  readonly requestsPerSecond: number;
  /** What the routes are when it begins; its active versions are the pins that are sent. */
  readonly first: Stage;
  /** Versions that streams are pinned to; default traffic has streams too. Absent: no streams at all. */
  readonly streamPins?: readonly string[];
  /** Time that some default requests take; absent: none is slow. */
  readonly slowMs?: number;
  /** Versions whose own errors are no failures of the routes (see Evidence). */
  readonly badVersions?: readonly string[];
}

/** A stage where one version is primary and these can be named. */
export function steady(primary: string, active: readonly string[] = [primary]): Stage {
  return { from: primary, to: primary, weight: 100, active };
}

const ENTRANCE = 'load';
const SERVED_WITHIN_MS = 30_000;

export class Load {
  readonly traffic: Traffic;
  readonly #history: History;
  readonly #probe: Probe;
  readonly #badVersions: readonly string[];

  private constructor({ address, requestsPerSecond, first, slowMs, badVersions = [] }: LoadOptions) {
    this.#badVersions = badVersions;
    this.#history = new History(first);
    this.#probe = new Probe(address);
    this.traffic = new Traffic({
      entrance: ENTRANCE,
      address,
      requestsPerSecond,
      mix: {
        tenants: 50,
        pins: first.active,
        unknownPins: ['v0'],
        ...(slowMs === undefined ? {} : { slowMs }),
      },
      habits: { tickMs: 500, silenceMs: 40_000, finishMs: 300 },
    });
  }

  /** Begins; resolves when the address serves the primary and all streams are open. */
  static async start(options: LoadOptions): Promise<Load> {
    const load = new Load(options);
    await load.servedBy(options.first.to);
    const { traffic } = load;
    const pins = options.streamPins;
    for (const face of pins === undefined ? [] : STREAM_FACES) {
      traffic.openStream({ face });
      for (const pin of pins ?? []) traffic.openStream({ face, pin });
    }
    traffic.start();
    await eventually(() => traffic.streams().every(({ version }) => version !== undefined), {
      what: 'the first message of every stream',
      within: SERVED_WITHIN_MS,
    });
    return load;
  }

  /** Resolves with the time when a version serves default traffic. */
  servedBy(version: string): Promise<number> {
    return this.#probe.untilServedBy(version, AbortSignal.timeout(SERVED_WITHIN_MS));
  }

  /** Resolves with a time when all that the proxy has heard before is in force. */
  inForce(): Promise<number> {
    return this.#probe.afterOneAnswer();
  }

  /** Notes that a command is about to be given. */
  begin(stage: Stage): Pending {
    return this.#history.begin({ stage, at: performance.now() });
  }

  /** Resolves when so many more requests have been answered, so that what was done has met traffic. */
  async goOn(requests = 30): Promise<void> {
    const before = this.traffic.progress().requests;
    await eventually(() => this.traffic.progress().requests >= before + requests, {
      what: `${requests} more requests`,
      within: SERVED_WITHIN_MS,
    });
  }

  /** Ends the traffic from the clients' side; a stream that was cut before counts as such. */
  async stop(): Promise<Verdict & { readonly evidence: Omit<Evidence, 'histories'> }> {
    const evidence = await this.traffic.stop();
    this.#probe.close();
    const histories = new Map([[ENTRANCE, this.#history]]);
    return { ...judge({ ...evidence, histories, badVersions: this.#badVersions }), evidence };
  }
}
