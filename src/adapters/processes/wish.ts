/**
 * What a wish means for the instances that there are: which end, and which begin. Pure. A version never changes: an
 * instance that joins a running version gets the command, folder and environment of those that run.
 */
import type { VersionName } from '../../model/names.ts';
import type { ProcessesRuntimeSpec } from '../../model/spec.ts';

/** One instance that there is. */
export interface Slot {
  readonly id: string;
  readonly version: VersionName;
  /** Its number within the version, from 1. */
  readonly slot: number;
  readonly spec: ProcessesRuntimeSpec;
  readonly isStopping: boolean;
}

export interface WishPlan {
  /** Ids of instances to stop. */
  readonly stop: readonly string[];
  /** Instances to begin. */
  readonly start: readonly {
    readonly version: VersionName;
    readonly slot: number;
    readonly spec: ProcessesRuntimeSpec;
  }[];
}

export function planWish(
  wish: { readonly spec: ProcessesRuntimeSpec; readonly versions: readonly VersionName[] },
  slots: readonly Slot[],
): WishPlan {
  const versions = new Set(wish.versions);
  // One that is being stopped goes its way; a version that is wished again gets new instances beside it.
  const staying = slots.filter(({ isStopping }) => !isStopping);
  const isWanted = ({ version, slot }: Slot): boolean => versions.has(version) && slot <= wish.spec.instances;
  return {
    stop: staying.filter((slot) => !isWanted(slot)).map(({ id }) => id),
    start: [...versions].flatMap((version) => {
      const running = staying.filter((slot) => slot.version === version);
      const taken = new Set(running.map(({ slot }) => slot));
      const spec = withLaunchOf(wish.spec, running[0]?.spec ?? wish.spec);
      return numbersTo(wish.spec.instances)
        .filter((slot) => !taken.has(slot))
        .map((slot) => ({ version, slot, spec }));
    }),
  };
}

/** Everything of `spec`, but with the command, folder and environment of `launch`. */
export function withLaunchOf(spec: ProcessesRuntimeSpec, launch: ProcessesRuntimeSpec): ProcessesRuntimeSpec {
  const { workingDirectory: _, ...supervision } = spec;
  const { command, environment, workingDirectory } = launch;
  return {
    ...supervision,
    command,
    environment,
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
  };
}

/** One sentence for each version that runs something else than what the spec now says. */
export function changedLaunches(spec: ProcessesRuntimeSpec, slots: readonly Slot[]): readonly string[] {
  const changed = slots
    .filter((slot) => !slot.isStopping && launchOf(slot.spec) !== launchOf(spec))
    .map(({ version }) => version);
  return [...new Set(changed)]
    .toSorted()
    .map(
      (version) =>
        `version ${version} keeps the command, folder and environment that it was started with, since a version never changes; those of the spec count for new versions`,
    );
}

function launchOf({ command, workingDirectory, environment }: ProcessesRuntimeSpec): string {
  const sorted = Object.entries(environment).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([command, workingDirectory, sorted]);
}

function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
