/** What a Pod's status says, in words for an operator. Pure. */
import { visible } from '../../../model/text.ts';
import type { Condition, ContainerStatus, Pod } from './objects.ts';

/** A container waits for one of these for a while after each failure, and not because it has just begun. */
const FAILURES: ReadonlySet<string> = new Set([
  'CrashLoopBackOff',
  'ImagePullBackOff',
  'ErrImagePull',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
const LONGEST = 300;

export function conditionOf({ status }: Pod, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** How often its containers were started again, all together. */
export function restartsOf(pod: Pod): number {
  return containersOf(pod).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}

/** Whether it is down and waits for its next start, or never starts again. */
export function isFailing(pod: Pod): boolean {
  return (
    pod.status?.phase === 'Failed' ||
    containersOf(pod).some(({ state }) => FAILURES.has(state?.waiting?.reason ?? ''))
  );
}

/** What keeps it from being ready: of its containers, of the scheduler, of itself. Empty: nothing is said. */
export function podTrouble(pod: Pod): string {
  const ofContainer = containersOf(pod)
    .map(containerTrouble)
    .find((trouble) => trouble !== '');
  if (ofContainer !== undefined) return ofContainer;
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False') return said(scheduled.reason, scheduled.message);
  return pod.status?.phase === 'Failed' ? said(pod.status.reason ?? 'Failed', pod.status.message) : '';
}

function containerTrouble({ name, state, lastState, restartCount = 0 }: ContainerStatus): string {
  const { waiting } = state ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  const isBad = FAILURES.has(waiting?.reason ?? '') || (state?.terminated?.exitCode ?? 0) !== 0;
  if (!isBad) return '';
  const last =
    ended?.exitCode === undefined
      ? ''
      : `; it ended with exit code ${ended.exitCode}${ended.reason === undefined ? '' : ` (${ended.reason})`}`;
  const times = restartCount === 0 ? '' : `; started again ${restartCount} times`;
  return `${name}: ${said(waiting?.reason ?? 'Terminated', waiting?.message)}${last}${times}`;
}

/** Others wrote it: kept to one line, and short. */
export function said(reason: string | undefined, message: string | undefined): string {
  const parts = [reason, message].filter((part) => part !== undefined && part !== '');
  return visible(parts.join(': '), LONGEST);
}

function containersOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}
