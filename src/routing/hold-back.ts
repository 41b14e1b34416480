/**
 * When a replica that does not decide must not follow yet: its own picture of the endpoints may be older than that of the
 * replica that decided. Default traffic must not come to a version of which it knows no ready endpoint (rule 2).
 */
import type { Instance } from '../model/instance.ts';
import type { ServiceRecord } from '../model/state.ts';
import { weightOf } from './table.ts';

/** Why the routes of `wanted` are not shown yet after those of `shown`; undefined where they may be. */
export function heldBack(
  shown: ServiceRecord,
  wanted: ServiceRecord,
  instances: readonly Instance[],
): string | undefined {
  const cold = wanted.versions.find(
    ({ name }) =>
      weightOf(wanted.traffic, name) > 0 &&
      weightOf(shown.traffic, name) === 0 &&
      !instances.some(({ version, state }) => version === name && state === 'Ready'),
  );
  return cold === undefined
    ? undefined
    : `${wanted.name}: default traffic would come to ${cold.name}, of which no ready endpoint is known here yet`;
}
