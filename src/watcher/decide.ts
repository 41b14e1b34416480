/**
 * What a watcher does next: a box enters, actions leave, each with its reason. Pure. The rules (rule 12 and its kin):
 * - the last healthy version is never stopped, but by a decommission that the policy allows, and by the switch of a box
 *   that can run one version only;
 * - a version that has a process, a draining one included, is not started;
 * - no more versions run than the stricter of both sides allows.
 */
import type { Artifact } from '../model/goal-state.ts';
import { after, isoTime } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isWindowOpen } from '../model/windows.ts';
import { refusalOf } from './allowed.ts';
import { type Box, type BoxAction, type BoxProcess, keyOf, LAST_GOOD_REST } from './box.ts';

/** Actions that may be carried out beside each other. Deciding again before they are done gives the same ones. */
export function decide(box: Box): readonly BoxAction[] {
  const ended = box.processes.filter(({ state }) => state === 'GivenUp').map((one) => giveUp(one, box));
  const { goal } = box;
  if (goal === undefined) return ended;
  if (goal.decommission) return [...ended, ...decommission(box)];
  const givenUp = [...ended, ...neverHealthy(box)];
  if (!isWindowOpen(box.policy.windows, box.now)) return [...givenUp, ...broughtBack(box)];
  return [...givenUp, ...fetches(box), ...drains(box), ...starts(box)];
}

/** The artifacts that the box shall run, as far as the policy allows: the newest default last. */
export function wantedArtifacts(box: Box): readonly Artifact[] {
  return allowedArtifacts(box).slice(-box.limit);
}

/** All that the goal state names and the policy allows. */
function allowedArtifacts({ goal, policy }: Box): readonly Artifact[] {
  if (goal === undefined || goal.decommission) return [];
  return goal.versions
    .map(({ artifact }) => artifact)
    .filter((artifact) => refusalOf(artifact, policy) === undefined);
}

/** Whether a process is what the goal state asks for. One that was healthy stays, whatever artifact is named now. */
export function isWanted(process: BoxProcess, box: Box): boolean {
  const artifact = wantedArtifacts(box).find(({ version }) => version === process.version);
  return artifact !== undefined && (keyOf(artifact) === process.artifact || wasHealthy(process, box));
}

/** Whether a version was given up and is not to be started now. */
export function isBarred(artifact: Artifact, box: Box): boolean {
  const key = keyOf(artifact);
  const setback = box.setbacks.find((one) => one.version === artifact.version && one.artifact === key);
  if (setback === undefined || attemptOf(artifact.version, box) > (setback.attempt ?? 0)) return false;
  const isLastGood = box.lastGood !== undefined && keyOf(box.lastGood) === key;
  const isLastHope = isLastGood && healthy(box.processes).length === 0;
  return !(isLastHope && box.now >= after(setback.since, LAST_GOOD_REST));
}

/** How often an operator has ordered to try it again. */
function attemptOf(version: VersionName, { goal }: Box): number {
  return goal?.versions.find((one) => one.version === version)?.attempt ?? 0;
}

function giveUp({ version, artifact, reason, restarts }: BoxProcess, box: Box): BoxAction {
  const attempt = attemptOf(version, box);
  const setback = { version, artifact, since: box.now, reason, restarts, ...(attempt > 0 && { attempt }) };
  return { kind: 'GiveUp', setback, because: `${version} ${reason}` };
}

/**
 * What does not get healthy makes room for the last good version, where nothing else is healthy: a box that runs one
 * version, and whose new one hangs, is not left without a delegate. It has never taken a task.
 */
function neverHealthy(box: Box): readonly BoxAction[] {
  const isElseNothing = healthy(box.processes).length === 0 && startable(box).length === 0;
  if (!isElseNothing || runnableLastGood(box) === undefined) return [];
  return box.processes
    .filter((one) => hasMissedStart(one, box) && !wasHealthy(one, box) && isWanted(one, box))
    .map((one) => giveUp({ ...one, reason: missedStart(one) }, box));
}

function decommission(box: Box): readonly BoxAction[] {
  if (!box.policy.decommission) return [];
  return box.processes
    .filter(isLive)
    .map(({ version }) => ({ kind: 'Drain', version, because: 'the box is decommissioned' }));
}

function fetches(box: Box): readonly BoxAction[] {
  return wantedArtifacts(box)
    .filter(({ version }) => !box.processes.some((one) => one.version === version && isWanted(one, box)))
    .filter((artifact) => !isBarred(artifact, box) && needsFetch(artifact, box))
    .map((artifact) => ({ kind: 'Fetch', artifact, because: `${artifact.version} is wanted` }));
}

function needsFetch(artifact: Artifact, { artifacts, now }: Box): boolean {
  const standing = artifacts.get(keyOf(artifact));
  if (standing === undefined) return true;
  return standing.kind === 'Failed' && standing.retryAt !== undefined && now >= standing.retryAt;
}

function drains(box: Box): readonly BoxAction[] {
  const next = startable(box);
  const actions: BoxAction[] = [];
  let staying = box.processes.filter(isLive);
  // The oldest first, so that where one must stay it is the newest.
  for (const process of unwantedOldestFirst(box)) {
    const others = staying.filter((one) => one !== process);
    const because = reasonToDrain({ process, others, next, box });
    if (because === undefined) continue;
    staying = others;
    actions.push({ kind: 'Drain', version: process.version, because });
  }
  return actions;
}

function reasonToDrain(question: {
  readonly process: BoxProcess;
  /** That run and stay. */
  readonly others: readonly BoxProcess[];
  /** That could be started if there were room. */
  readonly next: readonly Artifact[];
  readonly box: Box;
}): string | undefined {
  const { process, others, next, box } = question;
  const ready = healthy(others);
  const replacement = ready.find((one) => isWanted(one, box));
  if (replacement !== undefined) return `it is not wanted any more, and ${replacement.version} is healthy`;
  if (!wasHealthy(process, box) && process.state !== 'Ready')
    return 'it is not wanted any more, and was never healthy';
  const [following] = next;
  // One that is draining already will make room.
  if (following === undefined || others.length + 1 < box.limit) return undefined;
  const because = `${following.version} takes its place: ${box.limit} may run`;
  return ready.length > 0 || box.limit === 1 ? because : undefined;
}

function unwantedOldestFirst(box: Box): readonly BoxProcess[] {
  return box.processes
    .filter((one) => isLive(one) && !isWanted(one, box))
    .toSorted((one, other) => one.since - other.since);
}

function starts(box: Box): readonly BoxAction[] {
  const wanted: BoxAction[] = startable(box).map((artifact) => ({
    kind: 'Start',
    artifact,
    because: `${artifact.version} is wanted`,
  }));
  return [...wanted, ...lastGood(box)].slice(0, roomIn(box));
}

/** How many more may run now. */
function roomIn({ limit, processes }: Box): number {
  return Math.max(limit - processes.filter(({ state }) => state !== 'GivenUp').length, 0);
}

/** Wanted artifacts that are here, without a process, and not given up. The newest default first. */
function startable(box: Box): readonly Artifact[] {
  return wantedArtifacts(box)
    .filter(
      (artifact) =>
        box.artifacts.get(keyOf(artifact))?.kind === 'Here' &&
        !isBarred(artifact, box) &&
        !box.processes.some(({ version }) => version === artifact.version),
    )
    .toReversed();
}

/** The last good version again, where none runs and no wanted one can. */
function lastGood(box: Box): readonly BoxAction[] {
  if (box.processes.some(isLive) || startable(box).length > 0) return [];
  const artifact = runnableLastGood(box);
  const isGivenUp = wantedArtifacts(box).some((wanted) => isBarred(wanted, box));
  return artifact !== undefined && isGivenUp
    ? [{ kind: 'Start', artifact, because: `${artifact.version} was the last that was healthy` }]
    : [];
}

/** The last good version, where it has no process and could have one. */
function runnableLastGood(box: Box): Artifact | undefined {
  const { lastGood: artifact, processes } = box;
  if (artifact === undefined) return undefined;
  const canRun =
    box.artifacts.get(keyOf(artifact))?.kind === 'Here' &&
    !isBarred(artifact, box) &&
    refusalOf(artifact, box.policy) === undefined &&
    !processes.some(({ version }) => version === artifact.version);
  return canRun ? artifact : undefined;
}

/**
 * What may start while the window is closed: to bring back what ran is no change, and neither is the end of a switch for
 * which the old version was drained while it was open. A box where nothing was ever healthy waits.
 */
function broughtBack(box: Box): readonly BoxAction[] {
  const again = lastGood(box).slice(0, roomIn(box));
  if (again.length > 0 || box.lastGood === undefined) return again;
  return box.processes.some(({ state }) => state !== 'GivenUp') ? [] : starts(box).slice(0, 1);
}

/** Whether it has had all the time that it has to get ready. */
export function hasMissedStart({ state, since }: BoxProcess, { now, startDeadline }: Box): boolean {
  return state === 'Starting' && now >= after(since, startDeadline);
}

/** What is said of one that has missed its start; one sentence. */
export function missedStart({ since, reason }: BoxProcess): string {
  return `never healthy since its start at ${isoTime(since)}: ${reason}`;
}

/** It runs, or is about to again. */
function isLive({ state }: BoxProcess): boolean {
  return state !== 'Draining' && state !== 'GivenUp';
}

/** It was at some time, be it in an earlier life. */
function wasHealthy(process: BoxProcess, { lastGood: good }: Box): boolean {
  return process.wasHealthy || (good !== undefined && keyOf(good) === process.artifact);
}

function healthy(processes: readonly BoxProcess[]): readonly BoxProcess[] {
  return processes.filter(({ state }) => state === 'Ready');
}
