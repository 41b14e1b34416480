/**
 * One proxy's session as a pure step: what is known of the proxy and one event go in, the new knowledge and the
 * responses to send come out. It joins the dialects (what a request means) and the order (what may be shown now). What
 * is due follows from knowledge alone, so a response that cannot be sent yet is not queued: it is found again later.
 */
import { type DeltaRequest, dueDelta, receiveDelta } from './delta.ts';
import { afterSending, closedKnowledge, type TypeKnowledge } from './knowledge.ts';
import { type ProxyKnowledge, routesSettled, type View, viewOf } from './order.ts';
import { emptyEndpoints } from './placeholder.ts';
import { publicationReached } from './progress.ts';
import { RESOURCE_TYPES, type ResourceType } from './resource.ts';
import { type Content, type Resource, type ResourceSet, restrict } from './resource-set.ts';
import type { Target } from './snapshot.ts';
import { type Due, dueSotw, isFullState, receiveSotw, type SotwRequest } from './sotw.ts';

/** All that is known of one proxy. */
export interface Session extends ProxyKnowledge {
  readonly kind: 'envoy' | 'grpc';
  readonly target?: Target;
  /** The number of the last response, over all types. */
  readonly serial: number;
  /** Whether it came with configuration from an earlier connection. */
  readonly configured: boolean;
  /** A proxy that reconnects asks for all types at once; until they are in (`Open`), nothing is answered. */
  readonly burst: 'None' | 'Open' | 'Over';
  /** Whether the proxy has had long enough to open a stream of its own for clusters. */
  readonly patienceOver: boolean;
}

export type SessionEvent =
  | { readonly kind: 'Request'; readonly type: ResourceType; readonly request: SotwRequest | DeltaRequest }
  /** A separate stream ended; the proxy is still there. */
  | { readonly kind: 'Closed'; readonly type: ResourceType }
  | { readonly kind: 'Target'; readonly target: Target }
  /** The requests of a reconnect should all have come. */
  | { readonly kind: 'BurstOver' }
  /** Separate streams should all have come. */
  | { readonly kind: 'PatienceOver' }
  /** The proxy has more than one stream. */
  | { readonly kind: 'Separated' }
  /** A stream can take more. */
  | { readonly kind: 'Drained' };

/** A response to send. */
export interface Send {
  readonly type: ResourceType;
  readonly dialect: TypeKnowledge['dialect'];
  readonly serial: number;
  readonly content: Content;
}

const NOBODY: ReadonlySet<string> = new Set();

/** A proxy of which nothing is known yet; the same object for the same kind and shape. */
export function newSession({ kind, shape }: Pick<Session, 'kind' | 'shape'>): Session {
  return NEW_SESSIONS[kind][shape];
}

const NEW_SESSIONS = {
  envoy: { aggregated: unknownProxy('envoy', 'aggregated'), separate: unknownProxy('envoy', 'separate') },
  grpc: { aggregated: unknownProxy('grpc', 'aggregated'), separate: unknownProxy('grpc', 'separate') },
};

function unknownProxy(kind: Session['kind'], shape: Session['shape']): Session {
  return {
    kind,
    shape,
    types: {},
    warming: new Map(),
    brought: NOBODY,
    unsettled: false,
    routing: 'Held',
    serial: 0,
    configured: false,
    burst: 'None',
    patienceOver: false,
  };
}

/** The next state and what to send. Nothing is sent of types that `blocked` names: their stream is full. */
export function step(from: { session: Session; event: SessionEvent; blocked: ReadonlySet<ResourceType> }): {
  session: Session;
  sends: readonly Send[];
} {
  const heard = withRouting(settled(apply(from.session, from.event)));
  const { target } = heard;
  if (target === undefined || heard.burst === 'Open') return { session: heard, sends: [] };
  const view = viewOf(target, heard);
  let session = heard;
  const sends: Send[] = [];
  for (const type of RESOURCE_TYPES) {
    if (from.blocked.has(type) || (type === 'clusters' && view.clustersWithheld)) continue;
    const due = dueFor(session, type, view);
    if (due === undefined) continue;
    session = sent(session, type, due);
    sends.push({
      type,
      dialect: knowledgeOf(session, type).dialect,
      serial: session.serial,
      content: due.content,
    });
  }
  return { session: withProgress(session, target), sends };
}

function knowledgeOf(session: Session, type: ResourceType): TypeKnowledge {
  const knowledge = session.types[type];
  if (knowledge === undefined) throw new Error(`nothing is known of ${type}`);
  return knowledge;
}

function apply(session: Session, event: SessionEvent): Session {
  switch (event.kind) {
    case 'Request':
      return received(session, event.type, event.request);
    case 'Closed': {
      const knowledge = session.types[event.type];
      if (knowledge === undefined) return session;
      return { ...session, types: { ...session.types, [event.type]: closedKnowledge(knowledge) } };
    }
    case 'Target':
      return { ...session, target: event.target };
    case 'BurstOver':
      return { ...session, burst: 'Over' };
    case 'PatienceOver':
      return { ...session, patienceOver: true };
    case 'Separated':
      return { ...session, shape: 'separate' };
    case 'Drained':
    default:
      return session;
  }
}

function received(session: Session, type: ResourceType, request: SotwRequest | DeltaRequest): Session {
  const before = session.types[type];
  const knowledge =
    request.dialect === 'sotw'
      ? receiveSotw({ type, knowledge: before, request, legacyWildcard: session.kind === 'envoy' })
      : receiveDelta({ type, knowledge: before, request });
  const next: Session = { ...session, types: { ...session.types, [type]: knowledge } };
  if (before === undefined || !before.open) return withBelongings(next, { type, request, knowledge });
  const response = before.unanswered.find(({ serial }) => serial === knowledge.answeredSerial);
  if (response === undefined || before.answeredSerial === knowledge.answeredSerial) return next;
  if (type === 'endpoints' && request.error === undefined)
    return withWarmed(next, response.content, response.serial);
  const late = type === 'clusters' && session.shape === 'separate';
  return late ? withEndpointsOwed(next, changedIn(response.content, response.before)) : next;
}

/** The first request of a type on its stream: what does the proxy bring along? */
function withBelongings(
  session: Session,
  first: { type: ResourceType; request: SotwRequest | DeltaRequest; knowledge: TypeKnowledge },
): Session {
  const { type, request, knowledge } = first;
  const configured = request.dialect === 'sotw' ? request.version !== '' : request.initialVersions.size > 0;
  const complete = RESOURCE_TYPES.every((each) => session.types[each] !== undefined);
  const opens = configured && session.burst === 'None' && session.serial === 0;
  const burst = session.burst === 'Over' || complete ? 'Over' : opens ? 'Open' : session.burst;
  const next: Session = { ...session, burst, configured: session.configured || configured };
  if (type !== 'clusters' && type !== 'endpoints') return next;
  // Endpoints bear the name of their cluster.
  const names = configured ? [...knowledge.subscription.names, ...knowledge.acknowledged.keys()] : [];
  for (const { name } of type === 'clusters' ? knowledge.doubtful : []) names.push(name);
  if (names.length === 0) return next;
  const warming = new Map(next.warming);
  for (const name of knowledge.acknowledged.keys()) if (type === 'clusters') warming.set(name, 0);
  return { ...next, warming, unsettled: true, brought: new Set([...next.brought, ...names]) };
}

/** Clusters whose endpoints were acknowledged are in use. */
function withWarmed(session: Session, { resources }: Content, serial: number): Session {
  if (session.warming.size === 0) return session;
  const assigned = new Set(resources.map(({ name }) => name));
  const warming = new Map(
    [...session.warming].filter(([name, since]) => since >= serial || !assigned.has(name)),
  );
  return warming.size === session.warming.size ? session : { ...session, warming };
}

/** Once the proxy has acknowledged routes here, or turns out to have none, what it brought along counts no more. */
function settled(session: Session): Session {
  if (session.brought.size === 0 || session.burst === 'Open') return session;
  const { routes, clusters } = session.types;
  const none = routes === undefined && (session.shape === 'aggregated' || session.patienceOver);
  const unsettled = session.unsettled && !none && !routesSettled(session);
  const answered = clusters !== undefined && clusters.lastSerial > clusters.firstSerial;
  return { ...session, unsettled, brought: unsettled || !answered ? session.brought : NOBODY };
}

function withRouting(session: Session): Session {
  const routing = routingOf(session);
  return routing === session.routing ? session : { ...session, routing };
}

function routingOf({ types: { clusters }, kind, configured, patienceOver }: Session): Session['routing'] {
  if (clusters !== undefined) return clusters.subscription.wildcard ? 'Gated' : 'Free';
  return kind === 'envoy' && configured && !patienceOver ? 'Held' : 'Free';
}

function dueFor(session: Session, type: ResourceType, view: View): Due | undefined {
  const knowledge = session.types[type];
  if (knowledge === undefined || !knowledge.open) return undefined;
  const wanted = restrict(view.sets[type], knowledge.subscription);
  if (knowledge.dialect === 'delta')
    return dueDelta({ type, knowledge, wanted, kept: view.kept[type] ?? NOBODY });
  const fillers = type === 'endpoints' && !session.unsettled ? fillersFor(knowledge, wanted) : [];
  return dueSotw({ type, knowledge, wanted, fillers });
}

/** Empty endpoints for names that nobody knows and that were not answered yet; silence would leave the proxy waiting. */
function fillersFor({ subscription, sent: before }: TypeKnowledge, wanted: ResourceSet): readonly Resource[] {
  if (wanted.resources.size >= subscription.names.size) return [];
  return [...subscription.names]
    .filter((name) => !wanted.resources.has(name) && !before.has(name))
    .map(emptyEndpoints);
}

function sent(session: Session, type: ResourceType, due: Due): Session {
  const serial = session.serial + 1;
  const before = knowledgeOf(session, type);
  const after = afterSending(before, { serial, ...due });
  const next: Session = { ...session, serial, types: { ...session.types, [type]: after } };
  if (type !== 'clusters') return next;
  const warming = new Map([...session.warming].filter(([name]) => after.sent.has(name)));
  for (const { name, version, references } of due.content.resources) {
    const news = !before.acknowledged.has(name) && before.sent.get(name)?.version !== version;
    if (news && references.length > 0) warming.set(name, serial);
  }
  const warmed = { ...next, warming };
  return session.shape === 'aggregated'
    ? withEndpointsOwed(warmed, changedIn(due.content, before.sent))
    : warmed;
}

/** Names of the endpoints of clusters that are new or different in a response. */
function changedIn({ resources }: Content, before: TypeKnowledge['sent']): readonly string[] {
  return resources
    .filter(({ name, version }) => before.get(name)?.version !== version)
    .flatMap(({ references }) => references);
}

/** A proxy warms a changed cluster until it gets endpoints again, and does not always ask for them. */
function withEndpointsOwed(session: Session, names: readonly string[]): Session {
  const { endpoints } = session.types;
  const again =
    endpoints === undefined || !endpoints.open ? [] : names.filter((name) => endpoints.sent.has(name));
  if (endpoints === undefined || again.length === 0) return session;
  const owed = new Set([...endpoints.owed, ...again]);
  return { ...session, types: { ...session.types, endpoints: { ...endpoints, owed } } };
}

function withProgress(session: Session, target: Target): Session {
  const { publication } = target;
  let types: Partial<Record<ResourceType, TypeKnowledge>> | undefined;
  for (const type of RESOURCE_TYPES) {
    const knowledge = session.types[type];
    if (knowledge === undefined || knowledge.publication === publication) continue;
    const wanted = restrict(target.sets[type], knowledge.subscription);
    if (!publicationReached({ knowledge, wanted, full: isFullState(type) })) continue;
    types ??= { ...session.types };
    types[type] = { ...knowledge, publication };
  }
  return types === undefined ? session : { ...session, types };
}
