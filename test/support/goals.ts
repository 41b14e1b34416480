/** Waves, watchers, artifacts and wishes for tests of goal states: a small complete one of each. */
import { NO_DELEGATES } from '../../src/goalstate/generation.ts';
import { beginWaves } from '../../src/goalstate/waves.ts';
import { type Wish, wishOf } from '../../src/goalstate/wish.ts';
import type { Wave } from '../../src/model/delegates.ts';
import type { Artifact, BoxVersion, WatcherRecord } from '../../src/model/goal-state.ts';
import { instant } from '../../src/model/instant.ts';
import { serviceName, type VersionName, versionName } from '../../src/model/names.ts';
import { rolloutId } from '../../src/model/rollout.ts';
import type { ServiceRecord } from '../../src/model/state.ts';
import type { DelegatesRecord, WavesRecord } from '../../src/model/waves.ts';
import { type BoxWanted, watcherIdentity } from './watchers.ts';

export const v1 = versionName('v1');
export const v2 = versionName('v2');

/** A wave of all boxes, all at once, that halts at the first failure. */
export function aWave(replaced: Partial<Wave> = {}): Wave {
  return {
    name: 'all',
    groups: [],
    canaries: 0,
    wait: 0,
    windows: [],
    maxInFlight: 100,
    maxFailed: 0,
    ...replaced,
  };
}

/** The waves of v2 as they begin. */
export function wavesOf(...waves: readonly Wave[]): WavesRecord {
  const rollout = rolloutId(serviceName('manager'), v2, 1);
  return beginWaves({ rollout, candidate: v2, waves, now: instant(0) });
}

/** A connected watcher that has nothing to say yet. */
export function aWatcher(
  wanted: BoxWanted & {
    readonly versions?: readonly BoxVersion[];
    readonly isConnected?: boolean;
    readonly report?: Partial<WatcherRecord['report']>;
  } = {},
): WatcherRecord {
  const { versions = [], isConnected = true, report = {} } = wanted;
  return {
    identity: watcherIdentity(wanted),
    report: { seen: 0, applied: 0, refusal: '', versions, diskFree: 1, ...report },
    isConnected,
    lastSeen: instant(0),
  };
}

export function anArtifact(version: VersionName, replaced: Partial<Artifact> = {}): Artifact {
  return {
    service: serviceName('manager'),
    version,
    url: `https://files.example.com/${version}.tgz`,
    sha256: 'ab'.repeat(32),
    size: 1_000,
    signature: `${'A'.repeat(86)}==`,
    command: ['${artifact}/delegate'],
    ...replaced,
  };
}

/** What the boxes of a record should run, with an artifact for each of its versions except those left out. */
export function aWish(
  record: Pick<ServiceRecord, 'traffic' | 'versions' | 'rollout'>,
  options: {
    readonly delegates?: Partial<DelegatesRecord>;
    readonly without?: readonly string[];
    readonly early?: ReadonlyMap<VersionName, string>;
  } = {},
): Wish {
  const names = record.versions.map(({ name }) => name).filter((name) => !options.without?.includes(name));
  const artifacts = new Map(names.map((name) => [name, anArtifact(name)]));
  const { early = new Map() } = options;
  return wishOf({ record, artifacts, delegates: { ...NO_DELEGATES, ...options.delegates }, early });
}
