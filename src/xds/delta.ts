/**
 * Delta: the incremental dialect of xDS. A request adds and takes away names, a response carries what changed and the
 * names of what is gone, each resource with its own version. Pure: a request changes the knowledge, and from knowledge
 * and wish follows what is due. Source of the rules: Envoy, xds_protocol.rst; D1-D11 in docs/xds-conformance.md.
 */
import type { Instant } from '../model/instant.ts';
import {
  type AnswerTo,
  afterAcknowledgement,
  afterRejection,
  firstKnowledge,
  resourceKey,
  type TypeKnowledge,
  withSubscription,
} from './knowledge.ts';
import type { ResourceType } from './resource.ts';
import { content, difference, type Holdings, type ResourceSet } from './resource-set.ts';
import { type Due, isFullState } from './sotw.ts';
import { covers, makeSubscription, type Subscription, WILDCARD } from './subscription.ts';

/** A DeltaDiscoveryRequest, as far as it concerns the knowledge of one type. */
export interface DeltaRequest {
  readonly dialect: 'delta';
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
  /** Name to version of what the proxy holds; only in the first request of a type on a stream. */
  readonly initialVersions: ReadonlyMap<string, string>;
  readonly answers: AnswerTo;
  /** Why the response that it answers was rejected. */
  readonly error?: string;
  readonly at: Instant;
}

/** The knowledge after a request. */
export function receiveDelta(from: {
  type: ResourceType;
  knowledge: TypeKnowledge | undefined;
  request: DeltaRequest;
}): TypeKnowledge {
  const { type, knowledge, request } = from;
  if (knowledge === undefined || !knowledge.open) return firstRequest(type, knowledge, request);
  const heard = answered(knowledge, request);
  const { subscribe, unsubscribe } = request;
  if (subscribe.length === 0 && unsubscribe.length === 0) return heard;
  const subscription = subscriptionAfter(heard.subscription, request);
  const changed = withSubscription(heard, subscription);
  // A name given up while the wildcard covers it is answered, so that the proxy knows whether it still exists.
  const stillCovered = unsubscribe.filter(
    (name) => heard.subscription.names.has(name) && covers(subscription, name),
  );
  const named = subscribe.filter((name) => name !== WILDCARD);
  const wildcardAgain = subscribe.includes(WILDCARD);
  return {
    ...changed,
    owed: new Set([...changed.owed, ...named, ...stillCovered]),
    mustAnswer: changed.mustAnswer || wildcardAgain,
  };
}

function firstRequest(
  type: ResourceType,
  before: TypeKnowledge | undefined,
  request: DeltaRequest,
): TypeKnowledge {
  const { subscribe, unsubscribe, initialVersions } = request;
  const legacyWildcard = subscribe.length === 0 && unsubscribe.length === 0;
  // Older Envoys put the names that they hold into `subscribe` when they reconnect, and mean the wildcard too.
  const impliedWildcard =
    isFullState(type) &&
    initialVersions.size > 0 &&
    subscribe.length > 0 &&
    subscribe.every((name) => initialVersions.has(name));
  const wildcard = legacyWildcard || impliedWildcard || subscribe.includes(WILDCARD);
  const subscription = makeSubscription({
    names: wildcard ? [...subscribe, WILDCARD] : subscribe,
    everNamed: !legacyWildcard,
  });
  const claimed: Holdings = new Map(
    [...initialVersions].map(([name, version]) => [name, { name, version, references: [] }]),
  );
  // Endpoints and routes are always sent again: a proxy may have dropped what it says that it holds.
  const trusted = isFullState(type) && claimed.size > 0;
  return {
    ...firstKnowledge({ dialect: 'delta', subscription, before, ...(trusted && { claimed }) }),
    owed: new Set(impliedWildcard ? [] : subscription.names),
    mustAnswer: wildcard,
  };
}

function answered(knowledge: TypeKnowledge, { answers, error, at }: DeltaRequest): TypeKnowledge {
  if (answers.kind !== 'response') return knowledge;
  if (error === undefined) return afterAcknowledgement(knowledge, answers.serial);
  return afterRejection(knowledge, { serial: answers.serial, message: error, at, whole: false });
}

function subscriptionAfter(before: Subscription, { subscribe, unsubscribe }: DeltaRequest): Subscription {
  const names = new Set(before.names);
  if (before.wildcard) names.add(WILDCARD);
  for (const name of unsubscribe) names.delete(name);
  for (const name of subscribe) names.add(name);
  return makeSubscription({ names, everNamed: true });
}

/**
 * What is due, if anything. A change waits while a response is under way; an answer to a subscription does not.
 * `kept` are names that are absent from `wanted` for now and are not to be called removed.
 */
export function dueDelta(from: {
  type: ResourceType;
  knowledge: TypeKnowledge;
  wanted: ResourceSet;
  kept: ReadonlySet<string>;
}): Due | undefined {
  const { type, knowledge, wanted, kept } = from;
  const { sent, owed, mustAnswer, rejected, unanswered } = knowledge;
  if (unanswered.length > 0 && owed.size === 0 && !mustAnswer) return undefined;
  const { changed, gone } = difference(sent, wanted);
  if (changed.length + gone.length + owed.size === 0 && !mustAnswer) return undefined;
  const news = changed.filter((name) => {
    const resource = wanted.resources.get(name);
    return (
      resource !== undefined &&
      (rejected.size === 0 || owed.has(name) || !rejected.has(resourceKey(resource)))
    );
  });
  const again = [...owed].filter((name) => wanted.resources.has(name) && !news.includes(name));
  const missing = [...owed].filter((name) => !wanted.resources.has(name));
  const removals = isFullState(type) ? gone.filter((name) => !kept.has(name) && !owed.has(name)) : [];
  const removed = [...removals, ...missing.filter((name) => !kept.has(name))];
  if (news.length + again.length + removed.length === 0 && !mustAnswer) return undefined;
  return { content: content(wanted, [...news, ...again], removed), set: wanted, full: false };
}
