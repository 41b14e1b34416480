/**
 * The processes of one instance: its main process and what that started. An instance id enters, identities leave. A
 * process belongs to it when its environment names the instance, or when it is in the session of the main process
 * while that lives (some programs write over their environment). Nobody else can be in that session: the main process
 * made it, and its id is not given away while it lives.
 */
import { isAlive, type ProcessIdentity } from './identity.ts';
import { bootId, instanceOf, isDead, processIds, statOf } from './proc.ts';

/** One process of an instance. */
export interface Relative {
  readonly identity: ProcessIdentity;
  /** It made its own session, as we make the main process do. */
  readonly leadsSession: boolean;
}

/** Finds the living processes of an instance; `main` is the main process where it is known. Oldest first. */
export async function findFamily(wanted: {
  id: string;
  main?: ProcessIdentity | undefined;
}): Promise<readonly Relative[]> {
  const { id, main } = wanted;
  const named: Relative[] = [];
  const inSession: Relative[] = [];
  for (const pid of processIds()) {
    const stat = statOf(pid);
    if (stat === undefined || isDead(stat.state)) continue;
    const identity = { pid, startTime: stat.startTime, bootId: bootId() };
    const relative = { identity, leadsSession: stat.session === pid };
    if (stat.session === main?.pid) inSession.push(relative);
    else if ((await instanceOf(pid)) === id && isAlive(identity)) named.push(relative);
  }
  // Only now: had the main process died during the search, its session's id could be a stranger's by now.
  const sure = main !== undefined && isAlive(main) ? inSession : await namedAmong(inSession, id);
  return [...named, ...sure].toSorted((a, b) => a.identity.startTime - b.identity.startTime);
}

async function namedAmong(relatives: readonly Relative[], id: string): Promise<Relative[]> {
  const named: Relative[] = [];
  for (const relative of relatives) {
    if ((await instanceOf(relative.identity.pid)) === id && isAlive(relative.identity)) named.push(relative);
  }
  return named;
}
