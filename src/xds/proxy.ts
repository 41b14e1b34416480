/**
 * One connected proxy: its session, and the streams that the session's responses go to. Here the pure step meets the
 * wire: nonces become response numbers, responses become frames, and a full stream blocks its types until it drains.
 */
import type { Instant } from '../model/instant.ts';
import type { ProxyProgress } from '../ports/publisher.ts';
import type { Cohort } from './cohort.ts';
import type { Framer } from './framing.ts';
import type { AnswerTo } from './knowledge.ts';
import type { XdsObserver } from './observer.ts';
import { typeProgress } from './progress.ts';
import type { PushChannel } from './push.ts';
import { InvalidRequestError, type WireNode, type WireRequest } from './request.ts';
import { RESOURCE_TYPES, type ResourceType } from './resource.ts';
import { newSession, type Send, type Session, type SessionEvent, type step } from './session.ts';
import type { Target } from './snapshot.ts';

/** A stream as a proxy sees it. */
export interface ProxyStream {
  readonly dialect: 'sotw' | 'delta';
  readonly channel: PushChannel;
  /** The last nonce that was sent on it. */
  lastNonce: number;
  /** Per type: responses from the last answered one on, the newest last. */
  readonly sent: Partial<Record<ResourceType, SentResponse[]>>;
  /** Ends the stream because of a fault of the server. */
  fail(error: unknown): void;
}

interface SentResponse {
  readonly nonce: string;
  readonly serial: number;
  readonly at: Instant;
}

export interface ProxyContext {
  readonly framer: Framer;
  readonly step: typeof step;
  readonly observer: XdsObserver;
  now(): Instant;
  /** Called after each change that `progress` shows. */
  changed(): void;
}

/** How many un-answered responses are known; a proxy that answers at all needs one or two per type. */
const REMEMBERED_RESPONSES = 256;

const NO_TYPES: ReadonlySet<ResourceType> = new Set();

export class Proxy {
  readonly id: string;
  readonly cohort: Cohort;
  /** The stream of each type that was asked for. */
  readonly #streams = new Map<ResourceType, ProxyStream>();
  /** The aggregated stream, if it has one. */
  #aggregated: ProxyStream | undefined;
  readonly #context: ProxyContext;
  readonly #node: WireNode;
  readonly #address: string;
  readonly #protocol: 'sotw' | 'delta';
  readonly #connectedAt: Instant;
  #session: Session;
  #lastSeen: Instant;
  #progress: ProxyProgress | undefined;

  constructor(from: {
    id: string;
    cohort: Cohort;
    node: WireNode;
    address: string;
    protocol: 'sotw' | 'delta';
    shape: Session['shape'];
    context: ProxyContext;
  }) {
    this.id = from.id;
    this.cohort = from.cohort;
    this.#context = from.context;
    this.#node = from.node;
    this.#address = from.address;
    this.#protocol = from.protocol;
    this.#session = newSession({ kind: from.cohort.kind, shape: from.shape });
    this.#connectedAt = from.context.now();
    this.#lastSeen = this.#connectedAt;
  }

  /** Whether it came with configuration from an earlier connection. */
  get configured(): boolean {
    return this.#session.configured;
  }

  /** Whether its first requests are still coming in. */
  get gathering(): boolean {
    return this.#session.burst === 'Open';
  }

  /** Whether any stream is left. */
  get connected(): boolean {
    return this.#aggregated !== undefined || this.#streams.size > 0;
  }

  /** Whether a stream of that method can be one of this proxy's: no type may come on two streams. */
  accepts({ dialect, type }: { dialect: 'sotw' | 'delta'; type?: ResourceType }): boolean {
    if (dialect !== this.#protocol) return false;
    if (type === undefined) return this.#aggregated === undefined;
    return this.#aggregated === undefined || this.#streams.get(type) !== this.#aggregated;
  }

  /** Takes a stream in. A second one for a type takes the place of the first, which may be a dead one. */
  join(type: ResourceType | undefined, stream: ProxyStream): void {
    if (type === undefined) this.#aggregated = stream;
    else {
      if (this.#streams.has(type)) this.dispatch({ kind: 'Closed', type });
      this.#streams.set(type, stream);
    }
  }

  /** A stream has ended. What the proxy holds of its types stays known while it has another stream. */
  leave(stream: ProxyStream): void {
    if (this.#aggregated === stream) this.#aggregated = undefined;
    const types = [...this.#streams].filter(([, each]) => each === stream).map(([type]) => type);
    for (const type of types) this.#streams.delete(type);
    if (this.connected) for (const type of types) this.dispatch({ kind: 'Closed', type });
  }

  /** A request of a type that is served. Throws InvalidRequestError where the type comes on another stream. */
  receive(type: ResourceType, stream: ProxyStream, request: WireRequest): void {
    if (!this.#streams.has(type)) this.#streams.set(type, stream);
    if (this.#streams.get(type) !== stream) {
      throw new InvalidRequestError(`${type} come on another stream of node ${JSON.stringify(this.id)}`);
    }
    const at = this.#context.now();
    this.#lastSeen = at;
    const answered = answeredBy(stream, type, request.nonce);
    if (answered !== undefined) this.#observeAnswer(type, answered, request.error);
    const common = {
      answers: answersOf(request, answered),
      at,
      ...(request.error !== undefined && { error: request.error }),
    };
    this.dispatch({
      kind: 'Request',
      type,
      request:
        stream.dialect === 'sotw'
          ? { dialect: 'sotw', names: request.names, version: request.version, ...common }
          : {
              dialect: 'delta',
              subscribe: request.subscribe,
              unsubscribe: request.unsubscribe,
              initialVersions: request.initialVersions,
              ...common,
            },
    });
  }

  /** The publication of its target; 0 where it has none. */
  get aimedAt(): number {
    return this.#session.target?.publication ?? 0;
  }

  /** The cohort's target; nothing happens where it is the one that the proxy has. */
  retarget(target: Target): void {
    if (this.#session.target !== target) this.dispatch({ kind: 'Target', target });
  }

  /** Ends all streams of the proxy: serving it is not possible. */
  fail(error: unknown): void {
    const streams = new Set(this.#streams.values());
    if (this.#aggregated !== undefined) streams.add(this.#aggregated);
    for (const stream of streams) stream.fail(error);
  }

  /** Takes one event and sends what is due after it. */
  dispatch(event: SessionEvent): void {
    const { session, sends } = this.#step(event);
    if (session !== this.#session) {
      this.#session = session;
      this.#progress = undefined;
      this.#context.changed();
    }
    for (const send of sends) this.#send(send);
  }

  /** Where the proxy is. The same object until that changes. */
  progress(publication: number): ProxyProgress {
    const known = this.#progress;
    if (known !== undefined && known.lastSeen === this.#lastSeen) return known;
    const session = this.#session;
    const reached = (type: ResourceType): number | undefined => session.types[type]?.publication;
    const all = RESOURCE_TYPES.map(reached).filter((number) => number !== undefined);
    this.#progress = {
      id: this.id,
      nodeId: this.#node.id,
      kind: this.cohort.kind,
      protocol: this.#protocol,
      address: this.#address,
      userAgent: this.#node.userAgent,
      connectedAt: this.#connectedAt,
      ...(this.cohort.kind === 'envoy' && !isOurs(this.#node) ? { hasForeignBootstrap: true as const } : {}),
      lastSeen: this.#lastSeen,
      publication: all.length === 0 ? 0 : Math.min(...all),
      // A proxy that never had routes has none to change.
      routesPublication: reached('routes') ?? (session.configured ? 0 : publication),
      types: typeProgress(session),
    };
    return this.#progress;
  }

  #step(event: SessionEvent): ReturnType<typeof step> {
    const from = { session: this.#session, event };
    const result = this.#context.step({ ...from, blocked: NO_TYPES });
    // Where nothing is to be sent, it does not matter what is full.
    if (result.sends.length === 0) return result;
    const blocked = this.#blocked();
    return blocked.size === 0 ? result : this.#context.step({ ...from, blocked });
  }

  #blocked(): ReadonlySet<ResourceType> {
    let blocked: Set<ResourceType> | undefined;
    let last: ProxyStream | undefined;
    let full = false;
    for (const [type, stream] of this.#streams) {
      // Mostly all types have the same stream, and asking it takes a while.
      if (stream !== last) full = stream.channel.full;
      last = stream;
      if (full) (blocked ??= new Set()).add(type);
    }
    return blocked ?? NO_TYPES;
  }

  #send({ type, dialect, serial, content }: Send): void {
    const stream = this.#streams.get(type);
    if (stream === undefined) return;
    const frame = this.#context.framer.frame({ dialect, content, lastNonce: stream.lastNonce });
    stream.lastNonce = frame.nonce;
    const sent = (stream.sent[type] ??= []);
    sent.push({ nonce: String(frame.nonce), serial, at: this.#context.now() });
    if (sent.length > REMEMBERED_RESPONSES) sent.shift();
    stream.channel.push(frame);
    this.#context.observer.pushed?.({ id: this.id, type, bytes: frame.bytes.length });
  }

  #observeAnswer(type: ResourceType, { serial, at }: SentResponse, error: string | undefined): void {
    const response = this.#session.types[type]?.unanswered.find((sent) => sent.serial === serial);
    if (response === undefined) return;
    const { observer } = this.#context;
    if (error === undefined) observer.acknowledged?.({ id: this.id, type, after: this.#lastSeen - at });
    else observer.rejected?.({ id: this.id, type, version: response.content.version, message: error });
  }
}

/** Makes the state of a new stream. */
export function makeStream(from: Pick<ProxyStream, 'dialect' | 'channel' | 'fail'>): ProxyStream {
  return { ...from, lastNonce: 0, sent: {} };
}

/** The response with this nonce. A proxy answers in order, so what was sent before it is forgotten. */
function answeredBy(stream: ProxyStream, type: ResourceType, nonce: string): SentResponse | undefined {
  const sent = stream.sent[type] ?? [];
  const position = sent.findIndex((response) => response.nonce === nonce);
  if (position > 0) sent.splice(0, position);
  return position < 0 ? undefined : sent[0];
}

function answersOf({ nonce }: WireRequest, answered: SentResponse | undefined): AnswerTo {
  if (nonce === '') return { kind: 'nothing' };
  return answered === undefined ? { kind: 'unknown' } : { kind: 'response', serial: answered.serial };
}

/** Whether `switchyard bootstrap` made what the proxy was started with: it always says what the proxy wishes. */
function isOurs({ metadata }: { readonly metadata: unknown }): boolean {
  return (metadata as { switchyard?: unknown } | undefined)?.switchyard !== undefined;
}
