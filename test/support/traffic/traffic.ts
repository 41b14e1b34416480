/**
 * Constant load through one entrance: requests at a steady rate and streams that stay open, over real connections.
 * What comes back is written down; `stop` ends everything from the clients' side and hands the records out.
 */
import type { Address, RequestClient, StreamClient } from './clients/client.ts';
import { GrpcClient, GrpcStreamClient } from './clients/grpc.ts';
import { Http1Client } from './clients/http1.ts';
import { Http2Client } from './clients/http2.ts';
import { WebsocketClient } from './clients/websocket.ts';
import { Mix, type MixOptions, type Planned } from './mix.ts';
import { atSteadyPace } from './pace.ts';
import type { Asked, Exchange, RequestFace, StreamFace, StreamRecord } from './samples.ts';
import { type StreamHabits, StreamWatch } from './stream-watch.ts';

export interface TrafficOptions {
  /** Names the entrance in records. */
  readonly entrance: string;
  readonly address: Address;
  readonly requestsPerSecond: number;
  readonly mix: MixOptions;
  readonly habits: StreamHabits;
}

/** How the traffic fares just now, for a screen. */
export interface TrafficProgress {
  readonly requests: number;
  /** Requests without a usable answer, refusals not counted. */
  readonly failed: number;
  readonly refused: number;
  /** Open streams by the version that serves them. */
  readonly streams: ReadonlyMap<string, number>;
  /** Answers to default requests by version, over the last thousand. */
  readonly recent: ReadonlyMap<string, number>;
}

const RECENT = 1000;
const SILENCE_CHECKED_EVERY_MS = 500;

/** Load through one entrance. Construct, then `start`. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #requests: Readonly<Record<RequestFace, RequestClient>>;
  readonly #streamClients: Readonly<Record<StreamFace, StreamClient>>;
  readonly #mix: Mix;
  readonly #exchanges: Exchange[] = [];
  readonly #records: StreamRecord[] = [];
  readonly #underWay = new Set<Promise<void>>();
  readonly #busyTenants = new Set<string>();
  readonly #streams = new Set<StreamWatch>();
  readonly #recent: string[] = [];
  #sent = 0;
  #failed = 0;
  #refused = 0;
  #stopPace = () => {};

  constructor(options: TrafficOptions) {
    const { address } = options;
    this.#options = options;
    this.#mix = new Mix(options.mix);
    const http1 = new Http1Client(address);
    this.#requests = { http1, http2: new Http2Client(address), grpc: new GrpcClient(address) };
    this.#streamClients = {
      http1,
      http2: new Http2Client(address),
      grpcWatch: new GrpcStreamClient(address, 'watch'),
      grpcWork: new GrpcStreamClient(address, 'work'),
      websocket: new WebsocketClient(address),
    };
  }

  /** Begins to send requests. */
  start(): void {
    const stopRequests = atSteadyPace(this.#options.requestsPerSecond, () => this.#sendNext());
    const checks = setInterval(() => {
      for (const stream of this.#streams) stream.check();
    }, SILENCE_CHECKED_EVERY_MS);
    this.#stopPace = () => {
      stopRequests();
      clearInterval(checks);
    };
  }

  /** Opens a stream that stays open until it is closed, drained or cut. */
  openStream(wish: { face: StreamFace; pin?: string; tenant?: string }): void {
    const watch = new StreamWatch({
      asked: { entrance: this.#options.entrance, ...wish },
      client: this.#streamClients[wish.face],
      habits: this.#options.habits,
      now: () => performance.now(),
      opened: (opening) => this.#note(opening),
      ended: (record) => void this.#records.push(record),
    });
    this.#streams.add(watch);
    void watch.finished.then(() => this.#streams.delete(watch));
  }

  /** Open streams, with who serves them and whether they were told to finish. */
  streams(): readonly StreamWatch[] {
    return [...this.#streams];
  }

  progress(): TrafficProgress {
    return {
      requests: this.#exchanges.length,
      failed: this.#failed,
      refused: this.#refused,
      streams: countBy([...this.#streams].flatMap(({ version }) => (version === undefined ? [] : [version]))),
      recent: countBy(this.#recent),
    };
  }

  /** Stops sending, waits for the answers that are due, closes the streams, and hands out what was written down. */
  async stop(): Promise<{ exchanges: readonly Exchange[]; streams: readonly StreamRecord[] }> {
    this.#stopPace();
    await Promise.all(this.#underWay);
    const closing = [...this.#streams];
    for (const stream of closing) stream.close();
    await Promise.all(closing.map(({ finished }) => finished));
    for (const client of [...Object.values(this.#requests), ...Object.values(this.#streamClients)])
      client.close();
    return { exchanges: this.#exchanges, streams: this.#records };
  }

  #sendNext(): void {
    const sending = this.#send(this.#mix.next((tenant) => this.#busyTenants.has(tenant)));
    this.#underWay.add(sending);
    void sending.then(() => this.#underWay.delete(sending));
  }

  async #send({ face, path, ...who }: Planned): Promise<void> {
    const { entrance } = this.#options;
    this.#sent += 1;
    const id = `${entrance}-${this.#sent}`;
    const asked: Asked = { entrance, face, id, ...who };
    if (who.tenant !== undefined) this.#busyTenants.add(who.tenant);
    const startedAt = performance.now();
    const outcome = await this.#requests[face].send({ ...who, id, ...(path === undefined ? {} : { path }) });
    if (who.tenant !== undefined) this.#busyTenants.delete(who.tenant);
    this.#note({ asked, startedAt, endedAt: performance.now(), outcome });
    if (who.pin === undefined && outcome.kind === 'answered') {
      this.#recent.push(outcome.version);
      if (this.#recent.length > RECENT) this.#recent.shift();
    }
  }

  #note(exchange: Exchange): void {
    this.#exchanges.push(exchange);
    if (exchange.outcome.kind === 'failed') this.#failed += 1;
    if (exchange.outcome.kind === 'refused') this.#refused += 1;
  }
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return new Map([...counts].toSorted(([one], [other]) => one.localeCompare(other)));
}
