/**
 * One Envoy with constant traffic through it, judged by a history of its own: what it was told, and when it had it.
 * A relay stands between it and the controller, so that a test can cut it off.
 */
import type { Envoy } from '../envoy.ts';
import { eventually } from '../eventually.ts';
import { History, type Stage } from '../traffic/history.ts';
import { judge, type Verdict } from '../traffic/judge.ts';
import { Probe } from '../traffic/probe.ts';
import { STREAM_FACES } from '../traffic/samples.ts';
import { Traffic } from '../traffic/traffic.ts';
import { startGateway } from './gateway.ts';
import { Relay } from './relay.ts';

export interface EntranceOptions {
  /** Node id and name of the listener. */
  readonly name: string;
  readonly protocol: 'sotw' | 'delta';
  /** Where its listener takes requests. */
  readonly port: number;
  readonly server: string;
  readonly xdsPort: number;
  readonly first: Stage;
  readonly requestsPerSecond: number;
}

/** What the clients of one entrance send. */
export interface EntranceTraffic {
  /** Pins of requests; whether they are served is for the history to say. */
  readonly pins: readonly string[];
  /** Pins of streams; they must be active now. */
  readonly streamPins: readonly string[];
  /** Without requests that take long (MixOptions.slowMs). */
  readonly quickOnly?: boolean;
}

const SERVED_WITHIN_MS = 60_000;

export class Entrance {
  readonly name: string;
  readonly history: History;
  readonly #options: EntranceOptions;
  readonly #relay: Relay;
  readonly #probe: Probe;
  #envoy: Envoy;
  #traffic: Traffic | undefined;

  private constructor(options: EntranceOptions, relay: Relay, envoy: Envoy) {
    this.name = options.name;
    this.history = new History(options.first);
    this.#options = options;
    this.#relay = relay;
    this.#envoy = envoy;
    this.#probe = new Probe({ host: '127.0.0.1', port: options.port });
  }

  /** Starts the Envoy; it may still wait for its routes. */
  static async start(options: EntranceOptions): Promise<Entrance> {
    const relay = await Relay.to(options.xdsPort);
    return new Entrance(options, relay, await startEnvoyFor(options, relay));
  }

  get envoy(): Envoy {
    return this.#envoy;
  }

  get traffic(): Traffic {
    if (this.#traffic === undefined) throw new Error(`there is no traffic through ${this.name}`);
    return this.#traffic;
  }

  /** Resolves with the time when a version serves default traffic here. */
  servedBy(version: string): Promise<number> {
    return this.#probe.untilServedBy(version, AbortSignal.timeout(SERVED_WITHIN_MS));
  }

  /** Resolves with the time when what this Envoy has acknowledged is in force (see Probe.afterOneAnswer). */
  inForce(): Promise<number> {
    return this.#probe.afterOneAnswer();
  }

  /** Begins constant traffic, with streams of every kind for default traffic and for each pin. */
  async startTraffic({ pins, streamPins, quickOnly }: EntranceTraffic): Promise<void> {
    const traffic = new Traffic({
      entrance: this.name,
      address: { host: '127.0.0.1', port: this.#options.port },
      requestsPerSecond: this.#options.requestsPerSecond,
      mix: {
        // Few enough that each is seen several times a second, so that a tenant that moves is noticed.
        tenants: 20,
        pins,
        unknownPins: ['v0', 'V1', 'v1,v2'],
        ...(quickOnly === true ? {} : { slowMs: 300 }),
      },
      habits: { tickMs: 500, silenceMs: 40_000, finishMs: 500 },
    });
    this.#traffic = traffic;
    for (const face of STREAM_FACES) {
      traffic.openStream({ face });
      for (const pin of streamPins) traffic.openStream({ face, pin });
    }
    traffic.start();
    const wanted = STREAM_FACES.length * (streamPins.length + 1);
    await eventually(
      () => traffic.streams().filter(({ version }) => version !== undefined).length === wanted,
      {
        what: `${wanted} open streams through ${this.name}`,
        within: 30_000,
      },
    );
  }

  /** Ends the traffic and judges it. */
  async stopTraffic(): Promise<Verdict> {
    const evidence = await this.traffic.stop();
    this.#traffic = undefined;
    return judge({ ...evidence, histories: new Map([[this.name, this.history]]) });
  }

  /** Cuts it off from the controller; it goes on with the routes that it has. */
  cutOff(): void {
    this.#relay.cut();
  }

  /** Lets it reach the controller again. */
  reconnect(): void {
    this.#relay.heal();
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#envoy.signal('SIGKILL');
    await this.#envoy.stop();
  }

  /** Starts it again after `kill`. */
  async restart(): Promise<void> {
    this.#envoy = await startEnvoyFor(this.#options, this.#relay);
  }

  async stop(): Promise<void> {
    if (this.#traffic !== undefined) await this.#traffic.stop();
    this.#probe.close();
    await this.#envoy.stop();
    await this.#relay.close();
  }
}

function startEnvoyFor({ name, protocol, server }: EntranceOptions, relay: Relay): Promise<Envoy> {
  return startGateway({ name, server, xdsPort: relay.port, protocol, listeners: [name] });
}
