/**
 * A server session and a model of a proxy with a network between them whose messages move one at a time, so that a
 * property test can order them as it likes: delays, reconnects and restarts of the server included.
 */
import { instant } from '../../src/model/instant.ts';
import type { AnswerTo } from '../../src/xds/knowledge.ts';
import type { ResourceType, TranslatedResource, Translation } from '../../src/xds/resource.ts';
import { newSession, type Session, type SessionEvent, step } from '../../src/xds/session.ts';
import { nextSnapshot, type Snapshot } from '../../src/xds/snapshot.ts';
import { EnvoyModel, type ModelRequest, type ModelResponse } from './xds-model.ts';

const ENVOY = { kind: 'envoy' } as const;
const NO_TYPES: ReadonlySet<ResourceType> = new Set();

/** What a table of the simulation holds: clusters with a content, and per listener the clusters that its routes name. */
export interface SimulatedTable {
  readonly clusters: Readonly<Record<string, { content: string; endpoints: number; healthChecked: boolean }>>;
  readonly listeners: Readonly<Record<string, { routes: string; clusters: readonly string[] }>>;
}

export function translateSimulated(table: SimulatedTable): Translation {
  const common = { services: [], listeners: [] };
  const resource = (
    type: ResourceType,
    name: string,
    text: string,
    references: readonly string[],
    first?: string,
  ): TranslatedResource => ({
    ...common,
    type,
    name,
    bytes: Buffer.from(text),
    references,
    ...(first !== undefined && { creationBytes: Buffer.from(first) }),
  });
  const envoy = Object.entries(table.clusters).flatMap(([name, { content, endpoints, healthChecked }]) => [
    resource(
      'clusters',
      name,
      `${name} ${content}`,
      [name],
      healthChecked ? `${name} ${content} first` : undefined,
    ),
    resource('endpoints', name, `${name} at ${endpoints}`, []),
  ]);
  for (const [name, { routes, clusters }] of Object.entries(table.listeners)) {
    envoy.push(
      resource('listeners', name, name, [name]),
      resource('routes', name, `${routes} ${clusters.join()}`, clusters),
    );
  }
  return { envoy, grpc: [] };
}

export class Simulation {
  readonly proxy: EnvoyModel;
  readonly #toServer: ModelRequest[] = [];
  readonly #toProxy: ModelResponse[] = [];
  #serials = new Map<string, number>();
  #session: Session = newSession({ kind: 'envoy', shape: 'aggregated' });
  #snapshot: Snapshot | undefined;
  #publication = 0;
  #nonce = 0;
  #blocked = false;

  constructor(dialect: 'sotw' | 'delta') {
    this.proxy = new EnvoyModel(dialect);
  }

  get session(): Session {
    return this.#session;
  }

  get publication(): number {
    return this.#publication;
  }

  publish(table: SimulatedTable): void {
    this.#publication += 1;
    this.#snapshot = nextSnapshot({
      publication: this.#publication,
      translation: translateSimulated(table),
      previous: this.#snapshot,
    });
    this.#aim();
  }

  /** The connection breaks and the proxy comes back; what was on the way is lost. */
  reconnect(): void {
    this.#toServer.length = 0;
    this.#toProxy.length = 0;
    this.#serials = new Map();
    this.#session = newSession({ kind: 'envoy', shape: 'aggregated' });
    this.proxy.connect();
    this.#collect();
  }

  /** The server forgets everything and loads a table, which need not be the one it published last. */
  restart(table: SimulatedTable): void {
    this.#snapshot = undefined;
    this.reconnect();
    this.publish(table);
  }

  /** One message reaches the server. False: there was none. */
  deliverRequest(): boolean {
    const request = this.#toServer.shift();
    if (request === undefined) return false;
    const { type, error, version, names, subscribe, unsubscribe, initialVersions } = request;
    const common = { answers: this.#answers(request), at: instant(0), ...(error !== undefined && { error }) };
    this.#step({
      kind: 'Request',
      type,
      request:
        this.proxy.dialect === 'sotw'
          ? { dialect: 'sotw', version, names, ...common }
          : { dialect: 'delta', subscribe, unsubscribe, initialVersions, ...common },
    });
    this.#aim();
    return true;
  }

  /** One message reaches the proxy. False: there was none. */
  deliverResponse(): boolean {
    const response = this.#toProxy.shift();
    if (response === undefined) return false;
    this.proxy.receive(response);
    this.#collect();
    return true;
  }

  /** The server stops waiting for the requests of a reconnect. It waits long enough for those that were sent. */
  endBurst(): void {
    if (this.#toServer.length === 0) this.#step({ kind: 'BurstOver' });
  }

  /** The stream can take no more, or can again. */
  block(blocked: boolean): void {
    this.#blocked = blocked;
    if (!blocked) this.#step({ kind: 'Drained' });
  }

  /** Everything on the way arrives, until nothing moves. Throws where that does not end. */
  settle(): void {
    this.block(false);
    for (let moves = 0; moves < 2_000; moves += 1) {
      if (this.deliverRequest() || this.deliverResponse()) continue;
      this.endBurst();
      if (this.#toServer.length + this.#toProxy.length > 0) continue;
      this.proxy.timeOut();
      this.#collect();
      if (this.#toServer.length + this.#toProxy.length === 0) return;
    }
    throw new Error('the server and the proxy go on for ever');
  }

  #collect(): void {
    this.#toServer.push(...this.proxy.outbox.splice(0));
  }

  #aim(): void {
    const target = this.#snapshot?.targetFor(ENVOY);
    if (target !== undefined && target !== this.#session.target) this.#step({ kind: 'Target', target });
  }

  #answers({ type, nonce }: ModelRequest): AnswerTo {
    if (nonce === '') return { kind: 'nothing' };
    const serial = this.#serials.get(`${type} ${nonce}`);
    return serial === undefined ? { kind: 'unknown' } : { kind: 'response', serial };
  }

  #step(event: SessionEvent): void {
    const blocked = this.#blocked
      ? new Set<ResourceType>(['clusters', 'endpoints', 'listeners', 'routes'])
      : NO_TYPES;
    const { session, sends } = step({ session: this.#session, event, blocked });
    this.#session = session;
    for (const { type, serial, content } of sends) {
      this.#nonce += 1;
      this.#serials.set(`${type} ${this.#nonce}`, serial);
      this.#toProxy.push({ nonce: String(this.#nonce), content });
    }
  }
}
