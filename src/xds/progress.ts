/**
 * How far a proxy is: read from what is known of it, per type and over all. Pure.
 */
import type { TypeProgress } from '../ports/publisher.ts';
import type { TypeKnowledge } from './knowledge.ts';
import { RESOURCE_TYPES, type ResourceType } from './resource.ts';
import { type ResourceSet, restrict } from './resource-set.ts';
import type { Session } from './session.ts';
import type { Target } from './snapshot.ts';
import { WILDCARD } from './subscription.ts';

/** Whether the proxy has acknowledged all that it is to have of one type, and nothing is under way. */
export function publicationReached(from: {
  knowledge: TypeKnowledge;
  wanted: ResourceSet;
  full: boolean;
}): boolean {
  const { knowledge, wanted, full } = from;
  const { acknowledged, unanswered, open, doubtful, mustAnswer } = knowledge;
  if (!open || unanswered.length > 0 || (full && mustAnswer)) return false;
  if (doubtful.some(({ name }) => full || wanted.resources.has(name))) return false;
  if (acknowledged === wanted.resources) return true;
  if (full && acknowledged.size !== wanted.resources.size) return false;
  for (const [name, { version }] of wanted.resources)
    if (acknowledged.get(name)?.version !== version) return false;
  return true;
}

const known = new WeakMap<Session, readonly TypeProgress[]>();

/** Each type that the proxy has asked for. The same object for the same session, which many proxies may share. */
export function typeProgress(session: Session): readonly TypeProgress[] {
  let all = known.get(session);
  if (all === undefined) known.set(session, (all = readProgress(session)));
  return all;
}

function readProgress(session: Session): readonly TypeProgress[] {
  const all: TypeProgress[] = [];
  for (const type of RESOURCE_TYPES) {
    const knowledge = session.types[type];
    if (knowledge === undefined) continue;
    const { subscription, acknowledgedVersion, publication } = knowledge;
    const rejection = currentRejection(type, knowledge, session.target);
    const subscribed = [...(subscription.wildcard ? [WILDCARD] : []), ...[...subscription.names].toSorted()];
    all.push({ type, subscribed, acknowledgedVersion, publication, ...(rejection && { rejection }) });
  }
  return all;
}

/** The last rejection, while what was rejected is still what the proxy is to have. */
function currentRejection(
  type: ResourceType,
  { rejection, subscription, acknowledged }: TypeKnowledge,
  target: Target | undefined,
): TypeProgress['rejection'] {
  if (rejection === undefined || target === undefined) return undefined;
  const { content, message, at } = rejection;
  const wanted = restrict(target.sets[type], subscription);
  const still = content.resources.some(
    ({ name, version }) =>
      wanted.resources.get(name)?.version === version && acknowledged.get(name)?.version !== version,
  );
  return still || content.version === wanted.version ? { message, version: content.version, at } : undefined;
}
