/**
 * What the server knows of one resource type on one proxy: what it asked for, what it was sent, what it acknowledged
 * and what it refused. Both dialects of xDS keep the same knowledge; they differ in how a request is read and how an
 * answer is put together. Plain immutable data and the few transitions that both share.
 */
import type { Instant } from '../model/instant.ts';
import {
  type Content,
  type Held,
  type Holdings,
  holdingsAfter,
  NOTHING,
  type ResourceSet,
} from './resource-set.ts';
import { covers, type Subscription } from './subscription.ts';

/** Knowledge of one resource type on one proxy. */
export interface TypeKnowledge {
  readonly dialect: 'sotw' | 'delta';
  /** False between the end of a separate stream and the next one for the type. */
  readonly open: boolean;
  readonly subscription: Subscription;
  /** What it was last sent, acknowledged or not. */
  readonly sent: Holdings;
  /** What it has acknowledged (delta: or said at the start that it holds). */
  readonly acknowledged: Holdings;
  /** Rejected or lost content that it may hold all the same: the state of a proxy after a NACK is unknown. */
  readonly doubtful: readonly Held[];
  /** Responses that are not answered yet, oldest first. */
  readonly unanswered: readonly Response[];
  /** The number of the last response before this stream. */
  readonly firstSerial: number;
  /** The number of the last response; `firstSerial` before the first. */
  readonly lastSerial: number;
  /** The number of the last response that the proxy acknowledged or rejected. */
  readonly answeredSerial: number;
  /** Names that are to be sent though what was sent last is the same. */
  readonly owed: ReadonlySet<string>;
  /** An answer is due even where it carries nothing. */
  readonly mustAnswer: boolean;
  /** Rejected content, as contentKeys; it is not sent again. */
  readonly rejected: ReadonlySet<string>;
  readonly rejection?: Rejection;
  readonly acknowledgedVersion: string;
  /** The newest publication whose content of this type it has acknowledged; 0 if none. */
  readonly publication: number;
}

/** One response on its way. Its number (serial) rises over all types of the proxy. */
export interface Response {
  readonly serial: number;
  readonly content: Content;
  readonly before: Holdings;
  readonly after: Holdings;
  /** It replaces everything that the proxy holds of the type. */
  readonly full: boolean;
}

export interface Rejection {
  readonly message: string;
  readonly content: Content;
  readonly at: Instant;
}

/** What a request says about earlier responses of its type on its stream. */
export type AnswerTo =
  /** It carries no nonce. */
  | { readonly kind: 'nothing' }
  /** It carries a nonce that was never sent on this stream, or was answered long ago. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'response'; readonly serial: number };

/** How many rejected contents are remembered per type. */
const REJECTED_LIMIT = 64;

/** The keys under which a rejected content is remembered: as a whole where it is a full state, else each resource. */
export function contentKeys(content: Content, whole: boolean): readonly string[] {
  return whole ? [content.version] : content.resources.map(resourceKey);
}

export function resourceKey(resource: Held): string {
  return `${resource.name}@${resource.version}`;
}

/** A type's knowledge at the first request on a stream. What an earlier stream of the same proxy left stays in doubt. */
export function firstKnowledge(from: {
  dialect: TypeKnowledge['dialect'];
  subscription: Subscription;
  before: TypeKnowledge | undefined;
  /** What the proxy says that it holds (delta). */
  claimed?: Holdings;
}): TypeKnowledge {
  const { dialect, subscription, before, claimed } = from;
  return {
    dialect,
    open: true,
    subscription,
    sent: claimed ?? NOTHING,
    acknowledged: claimed ?? NOTHING,
    doubtful: before === undefined ? [] : possiblyHeld(before),
    unanswered: [],
    firstSerial: before?.lastSerial ?? 0,
    lastSerial: before?.lastSerial ?? 0,
    answeredSerial: before?.lastSerial ?? 0,
    owed: new Set(),
    mustAnswer: true,
    rejected: new Set(),
    acknowledgedVersion: '',
    publication: 0,
  };
}

/** The knowledge after the stream of the type ended while the proxy stays. */
export function closedKnowledge(knowledge: TypeKnowledge): TypeKnowledge {
  return {
    ...knowledge,
    open: false,
    doubtful: possiblyHeld(knowledge),
    unanswered: [],
    acknowledged: NOTHING,
  };
}

/** Everything that the proxy may hold of the type, the same name perhaps more than once. */
export function possiblyHeld(knowledge: TypeKnowledge): readonly Held[] {
  const { acknowledged, unanswered, doubtful } = knowledge;
  if (unanswered.length === 0 && doubtful.length === 0) return [...acknowledged.values()];
  return [...acknowledged.values(), ...unanswered.flatMap(({ content }) => content.resources), ...doubtful];
}

/** A response was sent. */
export function afterSending(
  knowledge: TypeKnowledge,
  response: { serial: number; content: Content; set: ResourceSet; full: boolean },
): TypeKnowledge {
  const { serial, content, set, full } = response;
  const after = full ? set.resources : holdingsAfter(knowledge.sent, { content, set });
  return {
    ...knowledge,
    sent: after,
    unanswered: [...knowledge.unanswered, { serial, content, before: knowledge.sent, after, full }],
    lastSerial: serial,
    owed: NONE,
    mustAnswer: false,
  };
}

const NONE: ReadonlySet<string> = new Set();

/** A response was acknowledged. Responses before it count as answered: a proxy answers in order. */
export function afterAcknowledgement(knowledge: TypeKnowledge, serial: number): TypeKnowledge {
  const response = knowledge.unanswered.find((sent) => sent.serial === serial);
  if (response === undefined) return knowledge;
  const { content, before, after, full } = response;
  const { subscription, doubtful } = knowledge;
  const wanted = subscription.wildcard || content.resources.every(({ name }) => subscription.names.has(name));
  const names = new Set([...content.resources.map(({ name }) => name), ...content.removed]);
  return {
    ...knowledge,
    acknowledged: wanted && knowledge.acknowledged === before ? after : merged(knowledge, response),
    doubtful: full || doubtful.length === 0 ? [] : doubtful.filter(({ name }) => !names.has(name)),
    unanswered: knowledge.unanswered.filter((sent) => sent.serial > serial),
    answeredSerial: serial,
    acknowledgedVersion: content.version,
  };
}

/** What is acknowledged after a response, where something before it was not, or is no longer wanted. */
function merged(knowledge: TypeKnowledge, { content, after }: Response): Holdings {
  const acknowledged = new Map(knowledge.acknowledged);
  for (const name of content.removed) acknowledged.delete(name);
  for (const resource of content.resources) {
    if (covers(knowledge.subscription, resource.name)) acknowledged.set(resource.name, resource);
  }
  const same =
    acknowledged.size === after.size &&
    [...after].every(([name, held]) => acknowledged.get(name)?.version === held.version);
  return same ? after : acknowledged;
}

/** A response was rejected. What it carried may be applied, in part or not at all. */
export function afterRejection(
  knowledge: TypeKnowledge,
  refusal: { serial: number; message: string; at: Instant; whole: boolean },
): TypeKnowledge {
  const { serial, message, at, whole } = refusal;
  const response = knowledge.unanswered.find((sent) => sent.serial === serial);
  if (response === undefined) return knowledge;
  const { content } = response;
  const rejected = [...knowledge.rejected, ...contentKeys(content, whole)].slice(-REJECTED_LIMIT);
  const acknowledged = new Map(knowledge.acknowledged);
  const restored = new Map(knowledge.sent);
  for (const name of content.removed) {
    acknowledged.delete(name);
    // Removed or not? A version that nothing has makes either wish, to have it or not, due again: once, since a proxy
    // that refuses a mere removal would be told it for ever.
    const retry = !whole && content.resources.length > 0 && response.before.has(name);
    if (retry) restored.set(name, { name, version: '', references: [] });
  }
  const removals = content.removed.length > 0;
  return {
    ...knowledge,
    sent: removals ? restored : knowledge.sent,
    acknowledged: removals ? acknowledged : knowledge.acknowledged,
    doubtful: [...knowledge.doubtful, ...content.resources],
    unanswered: knowledge.unanswered.filter((sent) => sent.serial > serial),
    answeredSerial: serial,
    rejected: new Set(rejected),
    rejection: { message, content, at },
  };
}

/** The subscription changed: what it no longer covers is forgotten, since the proxy forgets it too. */
export function withSubscription(knowledge: TypeKnowledge, subscription: Subscription): TypeKnowledge {
  const keep = (holdings: Holdings): Holdings => {
    const kept = [...holdings].filter(([name]) => covers(subscription, name));
    return kept.length === holdings.size ? holdings : new Map(kept);
  };
  return {
    ...knowledge,
    subscription,
    sent: keep(knowledge.sent),
    acknowledged: keep(knowledge.acknowledged),
    doubtful: knowledge.doubtful.filter(({ name }) => covers(subscription, name)),
    owed: new Set([...knowledge.owed].filter((name) => covers(subscription, name))),
  };
}
