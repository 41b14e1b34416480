/** How the boxes of a wave stand with the candidate: what the next step of the waves is decided by. */
import type { WatcherRecord } from '../model/goal-state.ts';
import type { VersionName } from '../model/names.ts';
import type { WavesRecord } from '../model/waves.ts';
import type { DelegateId } from '../model/workflow.ts';
import { isAdmitted, waveOf } from './admission.ts';
import { positionOf } from './position.ts';

/**
 * `OnItsWay`: it was told, and works on it. `Aside`: it does not run the candidate now and nobody waits for it: its
 * customer refuses it or waits for a window, or it can run one version only and switches after the flip.
 */
export type BoxProgress = 'Ready' | 'Failed' | 'Aside' | 'OnItsWay';

/** How a connected box that was told stands with the candidate, by its last report. */
export function progressOf(watcher: WatcherRecord, candidate: VersionName): BoxProgress {
  const { identity, report } = watcher;
  if (identity.maxVersions <= 1 || report.refusal !== '') return 'Aside';
  switch (report.versions.find(({ version }) => version === candidate)?.state) {
    case 'Ready':
      return 'Ready';
    case 'ArtifactFailed':
    case 'CrashLooping':
      return 'Failed';
    case 'Refused':
    case 'WaitingForWindow':
    case 'Switching':
      return 'Aside';
    case 'Fetching':
    case 'Starting':
    case 'Unready':
    case 'Draining':
    case undefined:
      return 'OnItsWay';
  }
}

/** A connected box whose turn has not come yet. */
export interface WaitingBox {
  readonly watcher: WatcherRecord;
  readonly position: number;
  /** It will run the candidate when it is told: it takes a place among those on their way. */
  readonly takesPlace: boolean;
}

export interface WaveBoxes {
  /** Boxes of the wave whose turn it is that were admitted, connected or not. */
  readonly admitted: number;
  readonly ready: number;
  /** Connected, and on their way. */
  readonly onTheirWay: readonly WatcherRecord[];
  /** In this wave: admitted, seen since the phase began, and away now: nobody knows what the candidate has done to them. */
  readonly vanished: readonly WatcherRecord[];
  /** In this wave; those that went offline after they had failed count too. */
  readonly failedHere: readonly WatcherRecord[];
  /** In the waves before it. */
  readonly failedBefore: readonly WatcherRecord[];
  /** In their order. */
  readonly waiting: readonly WaitingBox[];
}

/** The boxes that waves are planned for. */
export interface Boxes {
  /** All watchers of the service that are known, connected or not. */
  readonly watchers: readonly WatcherRecord[];
  /** These are not waited for, whatever they say. */
  readonly decommissioned: ReadonlySet<DelegateId>;
}

/** Sorts the watchers, once through. */
export function sortBoxes(record: WavesRecord, { watchers, decommissioned }: Boxes): WaveBoxes {
  let admitted = 0;
  let ready = 0;
  const onTheirWay: WatcherRecord[] = [];
  const vanished: WatcherRecord[] = [];
  const failedHere: WatcherRecord[] = [];
  const failedBefore: WatcherRecord[] = [];
  const waiting: WaitingBox[] = [];
  for (const watcher of watchers) {
    const { identity, isConnected } = watcher;
    if (decommissioned.has(identity.id)) continue;
    const isHere = waveOf(record.waves, identity.group) === record.wave;
    const isIn = isAdmitted(record, identity);
    const progress = isIn || isHere ? progressOf(watcher, record.candidate) : 'Aside';
    if (isIn && progress === 'Failed') (isHere ? failedHere : failedBefore).push(watcher);
    if (!isHere) continue;
    if (isIn) admitted += 1;
    if (!isConnected) {
      const hadIt = isIn && (progress === 'Ready' || progress === 'OnItsWay');
      if (hadIt && watcher.lastSeen > record.since) vanished.push(watcher);
    } else if (!isIn) {
      const position = positionOf(record.rollout, identity.id);
      waiting.push({ watcher, position, takesPlace: progress !== 'Aside' });
    } else if (progress === 'Ready') ready += 1;
    else if (progress === 'OnItsWay') onTheirWay.push(watcher);
  }
  waiting.sort((one, other) => one.position - other.position);
  return { admitted, ready, onTheirWay, vanished, failedHere, failedBefore, waiting };
}
