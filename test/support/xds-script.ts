/**
 * A scripted proxy before a session: each line of a test is one request or publication, and returns the responses that
 * follow at once. For rules that need no wire.
 */
import { instant } from '../../src/model/instant.ts';
import type { AnswerTo } from '../../src/xds/knowledge.ts';
import type { ResourceType } from '../../src/xds/resource.ts';
import { newSession, type Send, type Session, type SessionEvent, step } from '../../src/xds/session.ts';
import { nextSnapshot, type Snapshot } from '../../src/xds/snapshot.ts';
import { type SimulatedTable, translateSimulated } from './xds-simulation.ts';

/** One response, in a form to compare. */
export interface Response {
  readonly type: ResourceType;
  readonly serial: number;
  readonly version: string;
  readonly names: readonly string[];
  readonly removed: readonly string[];
  /** The text of each resource. */
  readonly texts: readonly string[];
}

/** What a request answers: a response, one that was never sent, or nothing. */
type Answered = Response | 'unknown' | undefined;

/** A table of clusters and one listener `gateway` whose routes name some of them. */
export function scene(from: {
  /** Name to content. */
  clusters: Readonly<Record<string, string>>;
  /** Clusters that the routes name; absent: no listener. */
  routes?: readonly string[];
  /** Content of the routes beside these names. */
  text?: string;
  /** Clusters with health checks. */
  healthChecked?: readonly string[];
  endpoints?: number;
}): SimulatedTable {
  const { clusters, routes, text = '1', healthChecked = [], endpoints = 1 } = from;
  return {
    clusters: Object.fromEntries(
      Object.entries(clusters).map(([name, content]) => [
        name,
        { content, endpoints, healthChecked: healthChecked.includes(name) },
      ]),
    ),
    listeners: routes === undefined ? {} : { gateway: { routes: text, clusters: routes } },
  };
}

export class Script {
  session: Session;
  blocked: ReadonlySet<ResourceType> = new Set();
  #snapshot: Snapshot | undefined;
  #publication = 0;

  constructor(from: { table?: SimulatedTable; kind?: Session['kind']; shape?: Session['shape'] } = {}) {
    const { table, kind = 'envoy', shape = 'aggregated' } = from;
    this.session = newSession({ kind, shape });
    if (table !== undefined) this.publish(table);
  }

  publish(table: SimulatedTable): Response[] {
    this.#publication += 1;
    const translated = translateSimulated(table);
    this.#snapshot = nextSnapshot({
      publication: this.#publication,
      translation: { envoy: translated.envoy, grpc: translated.envoy },
      previous: this.#snapshot,
    });
    return this.event({ kind: 'Target', target: this.#snapshot.targetFor({ kind: this.session.kind }) });
  }

  /** The proxy comes back to the same server on a new stream. */
  reconnect(): void {
    this.session = newSession({ kind: this.session.kind, shape: this.session.shape });
    if (this.#snapshot === undefined) return;
    this.event({ kind: 'Target', target: this.#snapshot.targetFor({ kind: this.session.kind }) });
  }

  sotw(
    type: ResourceType,
    names: readonly string[] = [],
    { answers, error, version = '' }: { answers?: Answered; error?: string; version?: string } = {},
  ): Response[] {
    const request = {
      dialect: 'sotw' as const,
      names,
      version,
      answers: answerTo(answers),
      at: instant(0),
      ...(error !== undefined && { error }),
    };
    return this.event({ kind: 'Request', type, request });
  }

  delta(
    type: ResourceType,
    from: {
      subscribe?: readonly string[];
      unsubscribe?: readonly string[];
      initial?: Readonly<Record<string, string>>;
      answers?: Answered;
      error?: string;
    } = {},
  ): Response[] {
    const { subscribe = [], unsubscribe = [], initial = {}, answers, error } = from;
    const request = {
      dialect: 'delta' as const,
      subscribe,
      unsubscribe,
      initialVersions: new Map(Object.entries(initial)),
      answers: answerTo(answers),
      at: instant(0),
      ...(error !== undefined && { error }),
    };
    return this.event({ kind: 'Request', type, request });
  }

  event(event: SessionEvent): Response[] {
    const { session, sends } = step({ session: this.session, event, blocked: this.blocked });
    this.session = session;
    return sends.map(responseOf);
  }

  /** An Envoy that has started: clusters, endpoints, listeners and routes are acknowledged. */
  start(dialect: 'sotw' | 'delta', table: SimulatedTable): void {
    this.publish(table);
    const clusters = Object.keys(table.clusters);
    const routes = Object.keys(table.listeners);
    const ask = (type: ResourceType, names: readonly string[]): void => {
      let sent = dialect === 'sotw' ? this.sotw(type, names) : this.delta(type, { subscribe: names });
      while (sent.length > 0) sent = sent.flatMap((response) => this.acknowledge(dialect, response, names));
    };
    ask('clusters', []);
    if (clusters.length > 0) ask('endpoints', clusters);
    ask('listeners', []);
    if (routes.length > 0) ask('routes', routes);
  }

  acknowledge(dialect: 'sotw' | 'delta', response: Response, names?: readonly string[]): Response[] {
    if (dialect === 'delta') return this.delta(response.type, { answers: response });
    const known = [...(this.session.types[response.type]?.subscription.names ?? [])];
    const wanted = names !== undefined && this.session.types[response.type] === undefined ? names : known;
    return this.sotw(response.type, wanted, { answers: response, version: response.version });
  }
}

function answerTo(answers: Answered): AnswerTo {
  if (answers === undefined) return { kind: 'nothing' };
  return answers === 'unknown' ? { kind: 'unknown' } : { kind: 'response', serial: answers.serial };
}

function responseOf({ type, serial, content }: Send): Response {
  return {
    type,
    serial,
    version: content.version,
    names: content.resources.map(({ name }) => name),
    removed: content.removed,
    texts: content.resources.map(({ bytes }) => Buffer.from(bytes).toString()),
  };
}

/** The one response of a list; throws where there is none or more. */
export function only(responses: readonly Response[]): Response {
  const [first] = responses;
  if (first === undefined || responses.length > 1) {
    throw new Error(`one response was to come, not ${JSON.stringify(responses)}`);
  }
  return first;
}
