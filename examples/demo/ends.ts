/** The end of a rollout as the report tells it, with the measurements that decided. */
import { CHECK_STATE } from '../../src/admin/enums.ts';
import type { Measurement } from '../../src/gen/switchyard/admin/v1/measurements_pb.js';
import type { Walked } from '../../test/support/system/walk.ts';
import type { Seen } from './bad-release.ts';
import type { DecidingQuery, RolloutEnd } from './report.ts';
import type { World } from './world.ts';

/** `seen`: what the gateway showed of a bad release. */
export async function endOf(
  world: World,
  end: { readonly version: string; readonly walked: Walked; readonly seen?: Seen },
): Promise<RolloutEnd> {
  const { version, walked, seen } = end;
  const { measurements } = await world.call('listMeasurements', { rollout: walked.id });
  return {
    version,
    outcome: walked.outcome,
    detectMs: seen === undefined ? null : walked.decidedAt - seen.firstFaultAt,
    rollbackMs: seen === undefined ? null : Math.max(0, seen.goneAt - walked.decidedAt),
    delegates: walked.delegates ?? null,
    queries: decidingQueries(measurements, walked.deciding),
  };
}

/** The measurements of deciding checks that failed, or, where none did, the last one of each check. */
export function decidingQueries(
  measurements: readonly Measurement[],
  deciding: readonly string[],
): DecidingQuery[] {
  const failed = measurements.filter(
    ({ check, judgement }) => judgement?.state === CHECK_STATE.Failed && deciding.includes(check),
  );
  const last = new Map(measurements.map((measurement) => [measurement.check, measurement]));
  return (failed.length > 0 ? failed : [...last.values()]).flatMap(({ queries, judgement }) =>
    judgement?.value === undefined
      ? []
      : [{ query: queries.join('; '), value: judgement.value, limit: judgement.limit }],
  );
}
