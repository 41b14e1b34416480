/** Which releases can still read a record: what decides whether the release before may open the file again. */
import type { ServiceRecord } from '../../model/state.ts';

/** The newest form that this release knows: that of the state file, which other stores share. */
export const NEWEST_FORM = 3;

/**
 * The oldest form of the file whose releases can read this record. Fields that a release does not know are left out by
 * it; a drain source or a runtime that it does not know would make it refuse the record as damaged, and delegates that it does not
 * know would have no say: traffic would move before they are there.
 */
export function oldestReader({ spec, rollout, artifacts = [] }: ServiceRecord): number {
  const { kind } = spec.drain.source;
  const hasDelegates = spec.delegates.source.kind !== 'none' || rollout?.policy.delegates !== undefined;
  const isOnKubernetes = spec.runtime.kind === 'kubernetes';
  if (kind === 'workflow' || hasDelegates || isOnKubernetes || artifacts.length > 0) return 3;
  return kind === 'promql' || kind === 'grpc' ? 2 : 1;
}
