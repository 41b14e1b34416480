/** What is noted in a record that was put back from a backup: goal states that were given since are not in it. */
import { NO_DELEGATES, noteRestored } from '../../../goalstate/generation.ts';
import type { Instant } from '../../../model/instant.ts';
import type { ServiceRecord } from '../../../model/state.ts';

/** The same record where no box was ever told anything of the service. */
export function noteRecordRestored(record: ServiceRecord, now: Instant): ServiceRecord {
  const { delegates, artifacts = [] } = record;
  if (delegates === undefined && artifacts.length === 0) return record;
  return { ...record, delegates: noteRestored(delegates ?? NO_DELEGATES, now) };
}
