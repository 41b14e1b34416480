/** What the plan does for a version because of its delegates: they come before it stands by, and leave before its routes go. */
import { after, type Milliseconds } from '../model/instant.ts';
import type { VersionName } from '../model/names.ts';
import { isOpen } from '../model/rollout.ts';
import type { Retirement, ServiceRecord, VersionRecord } from '../model/state.ts';
import type { Observation } from './observation.ts';
import { hasDelegates } from './steps.ts';

/** A candidate with delegates is Registering until the walk has left Register; every other version stands by at once. */
export function stateWhenUp({ rollout }: ServiceRecord, name: VersionName): 'Registering' | 'Standby' {
  if (rollout === undefined || rollout.version !== name || !isOpen(rollout.state)) return 'Standby';
  const isBefore = rollout.step.kind === 'Deploy' || rollout.step.kind === 'Register';
  return isBefore && hasDelegates(rollout.policy) ? 'Registering' : 'Standby';
}

/** How long a version that leaves the goal states is waited for. Boxes that are away are never waited for (rule 8). */
export const LEAVING_LIMIT: Milliseconds = 600_000;

/**
 * Why the routes of a version that is out of the goal states may go: its delegates have closed their streams, or are not
 * waited for any longer. Undefined while it waits.
 */
export function whyLeft(input: {
  readonly version: VersionRecord;
  readonly retirement: Retirement;
  readonly observed: Observation;
}): string | undefined {
  const { version, retirement, observed } = input;
  const left = observed.leaving?.get(version.name);
  if (left?.length === 0) {
    return `${version.name} is out of the goal states, and nobody who is connected has it any more`;
  }
  const isOver = after(retirement.since, LEAVING_LIMIT) <= observed.now || retirement.waiveStragglers;
  if (!isOver) return undefined;
  return `${version.name} is out of the goal states; not waited for any longer: ${named(left)}`;
}

function named(left: readonly string[] | undefined): string {
  if (left === undefined) return 'its delegates, whose number is not known';
  const more = left.length - 10;
  return `${left.slice(0, 10).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
