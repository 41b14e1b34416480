/** What a call changes: what it needs to lock and to read, and the decision on that. */
import type { Needs } from './needs.ts';
import type { Workspace } from './workspace.ts';

export interface Change<Outcome> {
  readonly needs: Needs;
  /** Roughly what it writes, in characters: a transaction of many changes must not grow without bounds. */
  readonly weight: number;
  /** Must not change the workspace before it throws. */
  decide(workspace: Workspace): Outcome;
}
