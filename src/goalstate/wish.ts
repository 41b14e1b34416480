/** What the boxes of a service should run: its live versions by what they are for, each with its artifact and its waves. */
import type { Artifact } from '../model/goal-state.ts';
import type { VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import { isActive, type ServiceRecord, type VersionRecord } from '../model/state.ts';
import type { DelegatesRecord, GenerationVersion, GoalRole, WavesRecord } from '../model/waves.ts';
import { decommissionedBoxes, GOAL_ROLES } from '../model/waves.ts';
import type { DelegateId } from '../model/workflow.ts';
import { digestOf } from './position.ts';

export interface WishedVersion {
  readonly version: VersionName;
  readonly role: GoalRole;
  readonly artifact: Artifact;
  /** The same for the same facts of the artifact. */
  readonly digest: string;
  /** Orders to try it again. */
  readonly attempt: number;
  /** Which boxes it is for so far; absent: for all. */
  readonly waves?: WavesRecord;
}

export interface Wish {
  /** Most important first: a box that cannot run all of them gets the first. */
  readonly versions: readonly WishedVersion[];
  /** Live versions that no box can be told to run, with the reason. */
  readonly leftOut: readonly { readonly version: VersionName; readonly reason: string }[];
  readonly decommissioned: ReadonlySet<DelegateId>;
}

export interface WishInput {
  readonly record: Pick<ServiceRecord, 'traffic' | 'versions' | 'rollout'>;
  /** Those that were published, by version. */
  readonly artifacts: ReadonlyMap<VersionName, Artifact>;
  readonly delegates: Pick<DelegatesRecord, 'waves' | 'decommissions' | 'retries'>;
  /** Live versions that no box gets yet, with the reason. */
  readonly early?: ReadonlyMap<VersionName, string>;
}

/**
 * Versions that were never rolled out, where waves are to decide who gets them first: their rollout begins these. What
 * boxes were told to run already stays.
 */
export function earlyVersions(
  { traffic, versions, rollout, spec }: Pick<ServiceRecord, 'traffic' | 'versions' | 'rollout' | 'spec'>,
  { waves, current }: Pick<DelegatesRecord, 'waves' | 'current'>,
): ReadonlyMap<VersionName, string> {
  if (spec.delegates.waves.length === 0) return new Map();
  const known = new Set([
    ...(traffic.kind === 'none' ? [] : [traffic.primary]),
    ...(traffic.kind === 'shifting' ? [traffic.candidate] : []),
    ...(rollout === undefined ? [] : [rollout.version]),
    ...waves.map(({ candidate }) => candidate),
    ...current.versions.map(({ version }) => version),
  ]);
  return new Map(
    versions
      .filter(
        ({ name, lastPrimary, mark }) => !known.has(name) && lastPrimary === undefined && mark === undefined,
      )
      .map(({ name }) => [name, `${name} waits for its rollout, whose waves say which boxes get it first`]),
  );
}

/**
 * Versions from Registering to Drained that are not being retired: work that began on a version ends on it, so a bad
 * candidate too stays where it was admitted until its retirement takes it out (rules 8 and 13).
 */
export function wishOf({ record, artifacts, delegates, early = new Map() }: WishInput): Wish {
  const live = record.versions.filter(({ state, retirement }) => isActive(state) && retirement === undefined);
  const versions = live
    .toSorted((one, other) => byImportance(record, one, other))
    .flatMap(({ name }) => {
      const artifact = artifacts.get(name);
      if (artifact === undefined || early.has(name)) return [];
      const waves = delegates.waves.find(({ candidate }) => candidate === name);
      const role = roleOf(record, name);
      const digest = artifactDigest(artifact);
      const attempt = delegates.retries?.find(({ version }) => version === name)?.attempt ?? 0;
      return [{ version: name, role, artifact, digest, attempt, ...(waves === undefined ? {} : { waves }) }];
    });
  const leftOut = live.flatMap(({ name }) => {
    const reason = artifacts.has(name) ? early.get(name) : `no artifact was published for ${name}`;
    return reason === undefined ? [] : [{ version: name, reason }];
  });
  return { versions, leftOut, decommissioned: decommissionedBoxes(delegates) };
}

/** What the generation that follows from a wish names: all that decides what any box is told, and no more. */
export function namedBy(wish: Wish): {
  readonly versions: readonly GenerationVersion[];
  readonly decommissioned: readonly DelegateId[];
} {
  const versions = wish.versions.map(({ version, role, digest, attempt, waves }) => ({
    version,
    artifact: digest,
    role,
    ...(attempt > 0 && { attempt }),
    ...(waves === undefined ? {} : admissionOf(waves)),
  }));
  return { versions, decommissioned: [...wish.decommissioned].toSorted() };
}

/** Waves that are over admit everybody, as no waves do. */
function admissionOf({
  phase,
  rollout,
  wave,
  admittedTo,
}: WavesRecord): Pick<GenerationVersion, 'admission'> {
  return phase === 'Done' ? {} : { admission: { rollout, wave, admittedTo } };
}

/** The order of the fields is no matter. */
function artifactDigest(artifact: Artifact): string {
  const { service, version, url, sha256, size, signature, command } = artifact;
  return digestOf(JSON.stringify([service, version, url, sha256, size, signature, command])).toString(16);
}

function roleOf({ traffic, rollout }: WishInput['record'], name: VersionName): GoalRole {
  if (traffic.kind !== 'none' && traffic.primary === name) return 'Primary';
  const isShifted = traffic.kind === 'shifting' && traffic.candidate === name;
  const isRolledOut = rollout?.version === name && isOpen(rollout.state);
  if (isShifted || isRolledOut) return 'Candidate';
  return traffic.kind !== 'none' && traffic.previous === name ? 'Previous' : 'Other';
}

/** By role, then the newest primary first; by name where there was none, so that the order never depends on chance. */
function byImportance(record: WishInput['record'], one: VersionRecord, other: VersionRecord): number {
  const roles = rank(roleOf(record, one.name)) - rank(roleOf(record, other.name));
  if (roles !== 0) return roles;
  const newest = (other.lastPrimary ?? 0) - (one.lastPrimary ?? 0);
  if (newest !== 0) return newest;
  return one.name < other.name ? -1 : 1;
}

function rank(role: GoalRole): number {
  return GOAL_ROLES.indexOf(role);
}
