/**
 * State of the world: the older dialect of xDS. A request names everything that is wanted; a response for clusters and
 * listeners carries all of them (what is missing is deleted), one for endpoints and routes may carry some. Pure: a
 * request changes the knowledge, and from knowledge and wish follows what is due.
 * Source of the rules: Envoy, xds_protocol.rst; S1-S15 in docs/xds-conformance.md.
 */
import type { Instant } from '../model/instant.ts';
import {
  type AnswerTo,
  afterAcknowledgement,
  afterRejection,
  contentKeys,
  firstKnowledge,
  resourceKey,
  type TypeKnowledge,
  withSubscription,
} from './knowledge.ts';
import type { ResourceType } from './resource.ts';
import {
  type Content,
  content,
  difference,
  type Resource,
  type ResourceSet,
  withChanges,
} from './resource-set.ts';
import { makeSubscription, namesAdded, namesExactly, type Subscription, WILDCARD } from './subscription.ts';

/** A DiscoveryRequest, as far as it concerns the knowledge of one type. */
export interface SotwRequest {
  readonly dialect: 'sotw';
  readonly names: readonly string[];
  /** The last version that the proxy accepted; empty if none. */
  readonly version: string;
  readonly answers: AnswerTo;
  /** Why the response that it answers was rejected. */
  readonly error?: string;
  readonly at: Instant;
}

/** What is to be sent. */
export interface Due {
  readonly content: Content;
  /** The set that the content was taken from: what the proxy holds in the end. */
  readonly set: ResourceSet;
  /** Whether the content replaces everything that the proxy holds of the type. */
  readonly full: boolean;
}

/** Types whose responses carry all resources, always. */
export function isFullState(type: ResourceType): boolean {
  return type === 'clusters' || type === 'listeners';
}

/** The knowledge after a request. `legacyWildcard`: an empty first list of names means all clusters or listeners. */
export function receiveSotw(from: {
  type: ResourceType;
  knowledge: TypeKnowledge | undefined;
  request: SotwRequest;
  legacyWildcard: boolean;
}): TypeKnowledge {
  const { type, knowledge, request, legacyWildcard } = from;
  if (knowledge === undefined || !knowledge.open) {
    const subscription = subscriptionAfter({ type, names: request.names, legacyWildcard, everNamed: false });
    return firstKnowledge({ dialect: 'sotw', subscription, before: knowledge });
  }
  const { everNamed } = knowledge.subscription;
  const subscription = namesExactly(knowledge.subscription, request.names)
    ? knowledge.subscription
    : subscriptionAfter({ type, names: request.names, legacyWildcard, everNamed });
  const changed =
    subscription.key !== knowledge.subscription.key ||
    subscription.wildcard !== knowledge.subscription.wildcard;
  if (request.answers.kind === 'nothing' && !isFirstUnderWay(knowledge)) {
    // The proxy has started afresh on the same stream, so all that it names is sent once more.
    const afresh = firstKnowledge({ dialect: 'sotw', subscription, before: knowledge });
    return { ...afresh, rejected: knowledge.rejected };
  }
  const heard = answered(type, knowledge, request);
  if (!changed) return isRepeated(knowledge, request) ? withAllOwed(type, heard) : heard;
  const grown =
    namesAdded(knowledge.subscription, subscription).length > 0 ||
    (subscription.wildcard && !knowledge.subscription.wildcard);
  const next = withSubscription(heard, subscription);
  return grown && isFullState(type) ? { ...next, mustAnswer: true } : next;
}

/** Whether the first response on the stream is on its way, so that the proxy knows no nonce yet. */
function isFirstUnderWay({ unanswered, answeredSerial, firstSerial }: TypeKnowledge): boolean {
  return unanswered.length > 0 && answeredSerial === firstSerial;
}

function withAllOwed(type: ResourceType, knowledge: TypeKnowledge): TypeKnowledge {
  return { ...knowledge, owed: new Set(knowledge.sent.keys()), mustAnswer: isFullState(type) };
}

/**
 * A request that names the same and answers a response that was acknowledged before asks for the content again: a
 * client has dropped a name and taken it back, or warms a cluster once more.
 */
function isRepeated(knowledge: TypeKnowledge, request: SotwRequest): boolean {
  const { answers, error } = request;
  return (
    answers.kind === 'response' &&
    error === undefined &&
    answers.serial === knowledge.lastSerial &&
    answers.serial === knowledge.answeredSerial &&
    knowledge.unanswered.length === 0
  );
}

function answered(type: ResourceType, knowledge: TypeKnowledge, request: SotwRequest): TypeKnowledge {
  const { answers, error, at } = request;
  if (answers.kind !== 'response' || answers.serial !== knowledge.lastSerial) return knowledge;
  if (error === undefined) return afterAcknowledgement(knowledge, answers.serial);
  return afterRejection(knowledge, { serial: answers.serial, message: error, at, whole: isFullState(type) });
}

function subscriptionAfter(from: {
  type: ResourceType;
  names: readonly string[];
  legacyWildcard: boolean;
  everNamed: boolean;
}): Subscription {
  const { type, names, legacyWildcard, everNamed } = from;
  if (names.length > 0) return makeSubscription({ names, everNamed: true });
  const all = isFullState(type) && legacyWildcard && !everNamed;
  return makeSubscription({ names: all ? [WILDCARD] : [], everNamed });
}

/**
 * What is due, if anything. At most one response is under way per type; what changes meanwhile waits for its answer,
 * and then only the newest goes. `wanted` is what the subscription covers of the proxy's view; `fillers` are resources
 * for names that are wanted and do not exist, sent once.
 */
export function dueSotw(from: {
  type: ResourceType;
  knowledge: TypeKnowledge;
  wanted: ResourceSet;
  fillers: readonly Resource[];
}): Due | undefined {
  const { type, knowledge } = from;
  if (knowledge.unanswered.length > 0 || isServed(knowledge, from)) return undefined;
  return isFullState(type)
    ? dueWhole(knowledge, from.wanted)
    : dueParts(knowledge, from.wanted, from.fillers);
}

/** Whether it was sent exactly what it is to have. The answer is found without looking at resources. */
function isServed(
  { sent, owed, mustAnswer }: TypeKnowledge,
  { wanted, fillers }: { wanted: ResourceSet; fillers: readonly Resource[] },
): boolean {
  return sent === wanted.resources && owed.size === 0 && fillers.length === 0 && !mustAnswer;
}

function dueWhole(knowledge: TypeKnowledge, wanted: ResourceSet): Due | undefined {
  const { sent, mustAnswer, owed } = knowledge;
  const { changed, gone } = difference(sent, wanted);
  if (changed.length + gone.length + owed.size === 0 && !mustAnswer) return undefined;
  const whole = content(wanted, 'all', gone);
  if (contentKeys(whole, true).some((key) => knowledge.rejected.has(key))) return undefined;
  return { content: whole, set: wanted, full: true };
}

function dueParts(
  knowledge: TypeKnowledge,
  wanted: ResourceSet,
  fillers: readonly Resource[],
): Due | undefined {
  const { sent, owed, rejected } = knowledge;
  const { changed } = difference(sent, wanted);
  if (changed.length + owed.size + fillers.length === 0) return undefined;
  const set = withChanges(wanted, { put: fillers, drop: [] });
  const again = [...owed].filter((name) => set.resources.has(name) && !changed.includes(name));
  const names = [...changed, ...again, ...fillers.map(({ name }) => name)].filter((name) => {
    const resource = set.resources.get(name);
    return resource !== undefined && (rejected.size === 0 || !rejected.has(resourceKey(resource)));
  });
  return names.length === 0 ? undefined : { content: content(set, names, []), set, full: false };
}
