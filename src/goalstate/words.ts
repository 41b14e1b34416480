/** Pieces of the sentences that operators read. */
import type { WatcherRecord } from '../model/goal-state.ts';

/** Names that a sentence lists before it only counts. */
const MAX_NAMES = 10;

/** The boxes by name, in the order of their names, the first of them where there are many. */
export function namesOf(watchers: readonly WatcherRecord[]): string {
  return listed(watchers.map(({ identity }) => identity.id).toSorted());
}

/** `a, b and 3 more`. */
export function listed(texts: readonly string[], limit: number = MAX_NAMES): string {
  const shown = texts.slice(0, limit).join(', ');
  return texts.length > limit ? `${shown} and ${texts.length - limit} more` : shown;
}
