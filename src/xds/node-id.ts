/**
 * What a node id may be. It names the proxy in tables, in the log, in the store and in errors, so it is short and all
 * of it can be seen. Pure.
 */
import { excerpt, isVisible } from '../model/text.ts';

const LONGEST = 256;

/** Why this cannot be the id of a proxy, and what would be right; undefined where it can. */
export function nodeIdProblem(id: string): string | undefined {
  if (id === '') return 'node.id is empty; give each proxy an id of its own';
  if (id.length <= LONGEST && isVisible(id)) return undefined;
  return `node.id must have 1 to ${LONGEST} visible characters and no space at either end; this one has ${id.length}: ${excerpt(id)}`;
}
