/** What a watcher says of its box: a box and what was said before enter, the states of all its versions leave. Pure. */
import type { Artifact, BoxVersion, BoxVersionState } from '../model/goal-state.ts';
import { type Instant, isoTime } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isWindowOpen, nextOpening } from '../model/windows.ts';
import { refusalOf } from './allowed.ts';
import { type Box, type BoxProcess, keyOf } from './box.ts';
import { hasMissedStart, isBarred, isWanted, missedStart, wantedArtifacts } from './decide.ts';

/** How something stands, before it is known since when. */
type Standing = Pick<BoxVersion, 'state' | 'reason' | 'restarts'> & {
  readonly since?: Instant;
  readonly openTasks?: number;
};

/** Every version that runs, or that the goal state names; in the goal state's order, then by name. */
export function boxVersions(box: Box, before: readonly BoxVersion[]): readonly BoxVersion[] {
  const named = namedArtifacts(box);
  const others = box.processes
    .map(({ version }) => version)
    .filter((version) => !named.some((artifact) => artifact.version === version))
    .toSorted();
  const standings: { readonly version: VersionName; readonly standing: Standing }[] = [
    ...named.map((artifact) => ({ version: artifact.version, standing: standingOf(artifact, box) })),
    ...others.map((version) => ({ version, standing: ofOther(version, box) })),
  ];
  return standings.map(({ version, standing }) => ({
    version,
    since: sinceOf({ version, state: standing.state }, before) ?? box.now,
    ...standing,
  }));
}

/** Why the box works towards no more of its goal state than it does; empty where it does. */
export function refusalOfGoal({ goal, policy }: Box): string {
  if (goal?.decommission === true && !policy.decommission)
    return "the customer's policy does not allow the box to be decommissioned";
  const refused = (goal?.versions ?? []).flatMap(({ artifact }) => refusalOf(artifact, policy) ?? []);
  return refused.join('; ');
}

/** When the customer's window opens next; undefined while it is open. */
export function windowOpens({ policy, now }: Box): Instant | undefined {
  return isWindowOpen(policy.windows, now) ? undefined : nextOpening(policy.windows, now);
}

function namedArtifacts({ goal }: Box): readonly Artifact[] {
  return (goal?.versions ?? []).map(({ artifact }) => artifact);
}

/** A version that the goal state names. */
function standingOf(artifact: Artifact, box: Box): Standing {
  const process = box.processes.find(({ version }) => version === artifact.version);
  if (process !== undefined && process.state !== 'GivenUp') {
    const other =
      process.artifact === keyOf(artifact)
        ? ''
        : '; it runs another artifact than the goal state names now, since a version that was healthy never changes';
    return withNote(ofProcess(process, box), other);
  }
  return withoutProcess(artifact, box);
}

function withoutProcess(artifact: Artifact, box: Box): Standing {
  const refusal = refusalOf(artifact, box.policy);
  if (refusal !== undefined) return simple('Refused', refusal);
  const setback = box.setbacks.find((one) => one.artifact === keyOf(artifact));
  if (setback !== undefined && isBarred(artifact, box)) {
    const { since, reason, restarts } = setback;
    return { state: 'CrashLooping', reason, since, restarts };
  }
  if (!wantedArtifacts(box).includes(artifact)) {
    return simple('Refused', `the box runs at most ${box.limit} versions, and newer ones are wanted`);
  }
  const opens = windowOpens(box);
  if (!isWindowOpen(box.policy.windows, box.now)) {
    const when = opens === undefined ? '' : `; it opens at ${isoTime(opens)}`;
    return simple('WaitingForWindow', `the customer's window is closed${when}`);
  }
  return onItsWay(artifact, box);
}

function onItsWay(wanted: Artifact, box: Box): Standing {
  const artifact = box.artifacts.get(keyOf(wanted));
  switch (artifact?.kind) {
    case undefined:
      return simple('Fetching', 'its artifact is about to be fetched');
    case 'Fetching':
      return simple('Fetching', artifact.progress);
    case 'Failed':
      return simple('ArtifactFailed', artifact.reason);
    case 'Here': {
      const running = box.processes.filter(({ state }) => state !== 'GivenUp');
      if (running.length < box.limit) return simple('Starting', `${wanted.version} is about to be started`);
      const list = running.map((one) => one.version).join(', ');
      return simple('Switching', `waits for room: ${box.limit} may run, and ${list} do`);
    }
  }
}

/** A version that runs and that the goal state does not name. */
function ofOther(version: VersionName, box: Box): Standing {
  const process = box.processes.find((one) => one.version === version);
  if (process === undefined) return simple('Draining', 'it has ended');
  return ofProcess(process, box);
}

function ofProcess(process: BoxProcess, box: Box): Standing {
  const { restarts, since, openTasks } = process;
  const { state, reason } = stateOf(process, box);
  const isLeft = process.state !== 'Draining' && !isWanted(process, box);
  return {
    state,
    reason: isLeft
      ? `${reason}; it is not wanted any more, and stays until another version is healthy`
      : reason,
    restarts,
    // Its own time counts for as long as the state is its own.
    ...(state === process.state && { since }),
    ...(openTasks !== undefined && { openTasks }),
  };
}

function stateOf(process: BoxProcess, box: Box): { state: BoxVersionState; reason: string } {
  const { reason } = process;
  switch (process.state) {
    case 'Draining':
      return { state: 'Draining', reason };
    case 'GivenUp':
      return { state: 'CrashLooping', reason };
    case 'Down':
      return { state: 'Unready', reason };
    case 'Ready':
    case 'Unready':
      return { state: process.state, reason };
    case 'Starting':
      return hasMissedStart(process, box)
        ? { state: 'Unready', reason: missedStart(process) }
        : { state: 'Starting', reason };
  }
}

function simple(state: BoxVersionState, reason: string): Standing {
  return { state, reason, restarts: 0 };
}

function withNote(of: Standing, note: string): Standing {
  return { ...of, reason: `${of.reason}${note}` };
}

function sinceOf(
  now: { readonly version: VersionName; readonly state: BoxVersionState },
  before: readonly BoxVersion[],
): Instant | undefined {
  return before.find(({ version, state }) => version === now.version && state === now.state)?.since;
}
