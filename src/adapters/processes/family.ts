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

/** Processes that are looked at together: enough to be quick, few enough to let others have a turn in between. */
const TOGETHER = 32;

/** Finds the living processes of an instance; `main` is the main process where it is known. Oldest first. */
export async function findFamily(wanted: {
  id: string;
  main?: ProcessIdentity | undefined;
}): Promise<readonly Relative[]> {
  const { id, main } = wanted;
  const pids = processIds();
  const found: Suspect[] = [];
  for (let first = 0; first < pids.length; first += TOGETHER) {
    const looks = pids.slice(first, first + TOGETHER).map((pid) => suspect({ pid, id, main }));
    found.push(...(await Promise.all(looks)).filter((one) => one !== undefined));
  }
  // Only now: had the main process died during the search, its session's id could be a stranger's by now.
  const isSessionOurs = main !== undefined && isAlive(main);
  return found
    .filter(({ isNamed }) => isNamed || isSessionOurs)
    .toSorted((a, b) => a.identity.startTime - b.identity.startTime);
}

/** A process that names the instance, or is in the session that its main process made. */
interface Suspect extends Relative {
  readonly isNamed: boolean;
}

async function suspect(look: {
  pid: number;
  id: string;
  main: ProcessIdentity | undefined;
}): Promise<Suspect | undefined> {
  const { pid, id, main } = look;
  const stat = statOf(pid);
  if (stat === undefined || isDead(stat.state)) return undefined;
  const identity = { pid, startTime: stat.startTime, bootId: bootId() };
  // The process may have ended while its environment was read, and another one may have its id now.
  const isNamed = (await instanceOf(pid)) === id && isAlive(identity);
  if (!isNamed && stat.session !== main?.pid) return undefined;
  return { identity, leadsSession: stat.session === pid, isNamed };
}
