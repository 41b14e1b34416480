/** Asks a version's work source on behalf of an operator. */
import { instancesOf, whoAnswers } from '../controller/runtimes.ts';
import type { ServiceRecord, VersionRecord } from '../model/state.ts';
import type { WorkCount } from '../ports/work-source.ts';
import type { OperationContext } from './context.ts';

/** How long a work source may take to answer an operator. */
const COUNT_TIMEOUT_MS = 5_000;

/** Asks the version's work source; a version without instances or without a source is unknown. */
export function countOpenWork(
  context: OperationContext,
  record: ServiceRecord,
  version: VersionRecord,
): Promise<WorkCount> {
  const { runtimes, workSource } = context.controller.options;
  return workSource.count({
    source: record.spec.drain.source,
    service: record.name,
    version: version.name,
    ...(version.fenced ? { fencedSince: version.since } : {}),
    ...whoAnswers(instancesOf(runtimes, record), version.name),
    signal: AbortSignal.timeout(COUNT_TIMEOUT_MS),
  });
}
